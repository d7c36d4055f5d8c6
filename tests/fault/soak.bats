#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many runs at once on one store, some of them killed, while garbage is collected all the time. GB_SOAK: how many.
load lib

setup() { begin_file; }
teardown() { end_file; }

KINDS=4
# kind I: the spec of a run. Runs of one kind do the same at the same time; one kind has a test, which wants what the build left.
kind() { echo "$(($1 % KINDS))"; }

make_kinds()
{
	local k
	for ((k = 0; k < KINDS; k++)); do
		TESTS=$([ "$k" != 1 ] || echo '  tests: [{ name: unit, command: "cat made" }]') \
			new_spec "$WORK/$k" "cat input.txt > made; head -c $((k * 300000)) /dev/zero >> made; sleep 0.$k"
		echo "$k" >"$WORK/$k/input.txt"
		glovebox run "$WORK/$k/build.yaml" --store "$WORK/store" --out "$WORK/want$k" --quiet
	done
}

# start I: a run in the background. Every third, and who is to be killed, runs everything, whatever the store has.
start()
{
	local more=()
	[ $(($1 % 3)) != 0 ] && ! is_victim "$1" || more=(--no-cache)
	glovebox run "$WORK/$(kind "$1")/build.yaml" --out "$WORK/out$1" "${more[@]}" >"$WORK/log$1" 2>&1 &
	pids[$1]=$!
	! is_victim "$1" || kill_later "$1" "$!" &
}

# Every fourth, which take 0.3 s at least, at different points of what they do.
is_victim() { [ $(($1 % KINDS)) = 3 ]; }
kill_later()
{
	sleep "0.$((5 + $1 / KINDS % 5 * 7 + 10))"
	kill -9 "$2" 2>/dev/null || true
}

collect()
{
	while [ ! -e "$WORK/over" ]; do
		glovebox cache gc --max-age 0 || return
		sleep 0.05
	done >"$WORK/collected" 2>&1
}

# ended I: what is wrong with how a run ended.
ended()
{
	local status=0
	wait "${pids[$1]}" || status=$?
	if is_victim "$1" && [ $status = 137 ]; then
		killed=$((killed + 1))
		return
	fi
	[ $status = 0 ] || printf 'run %s: exit status %s: %s\n' "$1" $status "$(tail -n 2 "$WORK/log$1")"
	[ $status != 0 ] || cmp "$WORK/out$1/image.tar" "$WORK/want$(kind "$1")/image.tar" 2>&1
}

@test "many runs at once, kills among them, and a collector: all results right, the store true, nothing left" {
	local i pids=() killed=0 many=${GB_SOAK:-12}
	make_kinds
	collect &
	local collector=$!
	for ((i = 0; i < many; i++)); do start "$i"; done
	for ((i = 0; i < many; i++)); do ended "$i"; done >"$WORK/bad"
	touch "$WORK/over"
	wait "$collector" || { cat "$WORK/collected" >&2; return 1; }
	[ ! -s "$WORK/bad" ] || { cat "$WORK/bad" >&2; return 1; }
	echo "# of $many runs $killed were killed" >&3
	[ "$killed" -gt 0 ]
	clean
	# What a killed run had started ends with it, within a second; its scratch goes then, and not before.
	wait_until cleared_away
	for ((i = 0; i < KINDS; i++)); do
		expect_status 0 glovebox run "$WORK/$i/build.yaml" --out "$WORK/last$i"
		cmp "$WORK/last$i/image.tar" "$WORK/want$i/image.tar"
	done
	clean
	is "$(ls -A "$GLOVEBOX_STORE/tmp")" ""
}
