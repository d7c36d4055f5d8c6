#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Promise 12 at full size, by `make check-long`: bombs that want all of the machine meet the limits that everybody has who asks for none: of processes, files,
# places in memory and exec's output; and smaller ones that are asked for: memory, a disk's work, a step's output. Each is ended by name, with the documented status and all that it started; meanwhile others start as ever.
# shellcheck disable=SC2016  # scripts for the shell in the box
load ../lib

setup_file() { begin_escape; }
teardown_file() { end_file; }
setup() { DIR=$WORK/$BATS_TEST_NUMBER; }

# Milliseconds that another box may take to start beside a bomb: on a machine that is busy otherwise, too.
PATIENCE=10000

# others_start: starts one box after the other until $WORK/over is there; the longest start, in milliseconds, is in $WORK/longest.
others_start()
{
	local from took longest=0
	while [ ! -e "$WORK/over" ]; do
		from=$(date +%s%N)
		box -- true || { echo 'another box does not start' >"$WORK/longest"; return; }
		took=$((($(date +%s%N) - from) / 1000000))
		[ $took -le $longest ] || longest=$took
		echo $longest >"$WORK/longest"
		sleep 0.1
	done
}

# beside_others STATUS COMMAND...: expects that status, nothing left alive, and a machine that others can use meanwhile.
beside_others()
{
	rm -f "$WORK/over" "$WORK/longest"
	others_start &
	local others=$! ended=0
	expect_status "$1" timeout 600 "$PROBE" alone "${@:2}" || ended=1
	touch "$WORK/over"
	wait $others
	[ $ended = 0 ] || return 1
	echo "# the slowest start beside it: $(cat "$WORK/longest") ms" >&3
	[ "$(cat "$WORK/longest")" -lt $PATIENCE ]
}

# exec_meets STATUS END NAME VALUE OPTION... -- COMMAND...: what exec and its receipt say.
exec_meets()
{
	beside_others "$1" "$GLOVEBOX" exec --rootfs "$ROOTFS" --receipt "$WORK/receipt" "${@:5}"
	is "$(jq -r '"\(.end) \(.limit.name) \(.limit.value) \(.exitCode)"' "$WORK/receipt")" "$2 $3 $4 $1"
	expect_output "its limit $3="
}

# run_meets NAME VALUE RESOURCES COMMAND: the same of run.
run_meets()
{
	new_spec "$DIR" "$4"
	sed -i "s|^  build:|&\n    resources: $3|" "$DIR/build.yaml"
	beside_others 1 "$GLOVEBOX" run "$DIR/build.yaml" --quiet
	expect_output "its limit $1="
	is "$(jq -c '.outcome, .steps[0].limit' "$DIR/out/result.json")" $'"failed"\n{"name":"'"$1"'","value":'"$2"'}'
}

@test "[12] a fork bomb, all of whose processes go on forking" {
	exec_meets 137 limited pids 4096 -- /bin/probe act bomb
	run_meets pids 4096 "{}" "/bin/probe act bomb"
}

@test "[12] a memory hog" {
	if box --memory 1Gi -- true 2>"$WORK/why"; then
		exec_meets 137 limited memory 1073741824 --memory 1Gi -- sh -c 'head -c 102400m /dev/zero | tail -c 4000m'
		exec_meets 137 limited memory 1073741824 --memory 1Gi -- sh -c 'for i in $(seq 64); do tail -c 4000m /dev/zero & done; wait; sleep 600'
		run_meets memory 1073741824 "{ memory: 1Gi }" "head -c 102400m /dev/zero | tail -c 4000m"
	else
		# No cgroup, no such limit: it is told before anything starts.
		expect_status 125 box --memory 1Gi -- touch /tmp/ran
		expect_output "limit memory"
		new_spec "$DIR" true
		sed -i 's|^  build:|&\n    resources: { memory: 1Gi }|' "$DIR/build.yaml"
		expect_status 5 glovebox run "$DIR/build.yaml"
		expect_output "limit memory"
	fi
}

@test "[12] a filler of all places in memory" {
	exec_meets 1 exited tmp 1073741824 -- sh -c 'for d in /tmp /dev/shm /build/home; do cat /dev/zero >$d/x; done; exit 1'
	exec_meets 2 exited tmpFiles 200000 -- /bin/probe act files /tmp
}

@test "[12] a disk filler" {
	exec_meets 137 limited work 4294967296 --work-size 4Gi --output "/out=$WORK/filled" -- sh -c 'cat /dev/zero >/out/x'
	[ ! -e "$WORK/filled" ]
	run_meets work 4294967296 "{ work: 4Gi }" 'for i in 1 2 3 4; do cat /dev/zero >$i & done; wait'
	is "$(ls -A "$GLOVEBOX_STORE/tmp")" ""
}

@test "[12] a million files" {
	exec_meets 137 limited workFiles 1000000 --output "/out=$WORK/many" -- /bin/probe act files /out
	[ ! -e "$WORK/many" ]
	run_meets workFiles 1000000 "{}" "/bin/probe act files ."
	is "$(ls -A "$GLOVEBOX_STORE/tmp")" ""
}

@test "[12] output without end" {
	exec_meets 137 limited output 4294967296 -- sh -c 'cat /dev/zero & cat /dev/zero >&2; wait' >/dev/null
	is "$(box --receipt "$WORK/receipt" -- cat /dev/zero | wc -c)" 4294967296
	is "$(jq -r '"\(.end) \(.limit.name)"' "$WORK/receipt")" "limited output"
	run_meets output 1073741824 "{ output: 1Gi }" "cat /dev/zero"
	[ "$(stat -c %s "$DIR/out/logs/build.log")" -le 1073741824 ]
}
