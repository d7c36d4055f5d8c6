#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The table of probes, through `glovebox exec`: under each shipped profile, and under one that allows all (the floor
# remains), by the most careless of callers. Then the control: in a box of plain namespaces the probes must get through,
# so that one which has gone blind fails.
set -euo pipefail
. "$(dirname "$0")/lib.bash"

tests=0

# Numbers the lines of `probe run`, with @1 before their names.
number()
{
	local line
	while IFS= read -r line; do
		case $line in
		'ok - '* | 'not ok - '*)
			tests=$((tests + 1))
			printf '%s %d - %s: %s\n' "${line%% - *}" $tests "$1" "${line#* - }"
			;;
		*) printf '# %s\n' "${line#\# }" ;;
		esac
	done
}

# result TITLE OFFENCE: passes when there is none.
result()
{
	tests=$((tests + 1))
	if [ -z "$2" ]; then
		printf 'ok %d - %s\n' $tests "$1"
	else
		printf 'not ok %d - %s\n' $tests "$1"
		printf '%s\n' "$2" | head -n 20 | sed 's/^/# /'
	fi
}

is_line() { grep -cE '^(not )?ok - ' <<<"$1" || true; }

# whole TITLE OUTPUT MODE PROMISE: all probes of a promise have answered, the program was there to the end, and nothing
# of the host was reached.
whole()
{
	local want got
	want=$("$PROBE" list "$3" | grep -c "^$4 ")
	got=$(is_line "$2")
	result "$1: all $want probes have answered" "$([ "$want" = "$got" ] && grep -q '^# end$' <<<"$2" || printf '%s answers\n%s' "$got" "$2")"
	result "$1: nothing of the host was reached" "$(grep '^reached ' <<<"$2" || true)"
}

# inside PROFILE MODE PROMISE OPTION...
inside()
{
	local profile=$1 mode=$2 promise=$3 out title="$2, promise $3" extra=()
	shift 3
	[ "${2:-}" != loopback ] || extra=(loopback) title="$title, with a loopback"
	rm -rf "$WORK/out"
	out=$("$PROBE" caller "$WORK/caller" -- "$GLOVEBOX" exec --rootfs "$ROOTFS" --profile "$profile" --pids 64 --ro "$WORK/in:/in" \
		--rw "$WORK/live:/live" --output "/out=$WORK/out" "$@" -- \
		/bin/probe run "$mode" "$promise" "${words[@]}" "${extra[@]}") || true
	number "$title" < <(grep -vE '^(reached |# end)' <<<"$out")
	whole "$title" "$out" "$mode" "$promise"
}

begin_escape
trap end_file EXIT
mapfile -t words < <(needles)
echo 'defaultAction: SCMP_ACT_ALLOW' >"$WORK/floor.yaml"
mapfile -t promises < <("$PROBE" list | cut -d' ' -f1 | sort -nu)

for profile in "${PROFILES[@]}"; do
	for promise in "${promises[@]}"; do
		inside "$profile" "$profile" "$promise"
	done
	inside "$profile" "$profile" 6 --network loopback
done
for promise in "${promises[@]}"; do
	inside "$WORK/floor.yaml" floor "$promise"
done

# ---- the control ------------------------------------------------------------------------------------

# weakly MODE UNSHARE_OPTION...
# shellcheck disable=SC2016  # for the shell that is started
weakly()
{
	local mode=$1
	shift
	weak_out=$("$PROBE" caller "$WORK/caller" -- bash -c '. "$0" && weak_box "$@"' "$here/lib.bash" "$@" -- \
		/bin/probe run "$mode" 0 "${words[@]}") || true
}

here=$(realpath "$(dirname "$0")")
weak_root
# With the host's network some probes have something to reach, with one of their own others have the right to.
weakly weak
shared=$weak_out
weakly weak --net
own=$weak_out
both=$(printf '%s\n%s\n' "$shared" "$own" | awk '
	/^(not )?ok - / { line = $0; name = $0; sub(/^(not )?ok - /, "", name); sub(/:.*/, "", name); if (!(name in seen)) order[++n] = name
		seen[name]; if (line ~ /^ok/ && !(name in good)) good[name] = line; bad[name] = bad[name] "\n# " line; last = name; next }
	/^# expected/ { bad[last] = bad[last] "\n" $0 }
	END { for (i = 1; i <= n; i++) { name = order[i]; if (name in good) print good[name]; else print "not ok - " name bad[name] } }')
number control <<<"$both"
for what in abstract tcp terminal; do
	result "control: the caller's $what was reached" "$(grep -qx "reached $what" <<<"$shared" || printf '%s\n' "no; $shared" | grep -v ' ok')"
done
seen=$(grep -cE '^ok - .*: through' <<<"$both" || true)
result "control: at least 180 probes get through where there is nothing to hold them" "$([ "$seen" -ge 180 ] || echo "only $seen")"
weakly strict
failed=$(grep -c '^not ok - ' <<<"$weak_out" || true)
result "control: what strict expects fails there, for at least 180 probes" "$([ "$failed" -ge 180 ] || echo "only $failed")"
printf '1..%d\n' $tests
