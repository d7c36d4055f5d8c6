#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The table of probes, through `glovebox exec`: under each shipped profile, and under one that allows all (the floor
# remains), by the most careless of callers. Then the control: in a box of plain namespaces the probes must get through,
# so that one which has gone blind fails.
set -euo pipefail
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/../tap.bash"

# Numbers the lines of `probe suite` and `probe run`. "@ TITLE" is that of the lines that follow.
number()
{
	local line title=$1
	while IFS= read -r line; do
		case $line in
		'@ '*) title=${line#@ } ;;
		'ok - '* | 'not ok - '*)
			tests=$((tests + 1))
			printf '%s %d - %s: %s\n' "${line%% - *}" $tests "$title" "${line#* - }"
			;;
		*) printf '# %s\n' "${line#\# }" ;;
		esac
	done
}

begin_escape
trap end_file EXIT
mapfile -t words < <(needles)
echo 'defaultAction: SCMP_ACT_ALLOW' >"$WORK/floor.yaml"
mkdir "$WORK/suite"
"$PROBE" suite "$GLOVEBOX" "$WORK/suite" "${PROFILES[@]}" "$WORK/floor.yaml" >"$WORK/said" && ended= || ended="exit $?"
number suite <"$WORK/said"
result "the suite came to its end" "$ended"
result "each profile was tried on every promise, and three of them with a loopback" \
	"$(runs=$(grep -c '^@ ' "$WORK/said"); want=3; for mode in "${PROFILES[@]}" floor; do want=$((want + $("$PROBE" list "$mode" | cut -d' ' -f1 | sort -u | wc -l))); done
		[ "$runs" = $want ] || echo "$runs runs, not $want")"

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
# With the host's network and IPC some probes have something to reach, with their own others have the right to.
weakly weak
shared=$weak_out
weakly weak --net --ipc
own=$weak_out
both=$(printf '%s\n%s\n' "$shared" "$own" | awk '
	/^(not )?ok - / { line = $0; name = $0; sub(/^(not )?ok - /, "", name); sub(/:.*/, "", name); if (!(name in seen)) order[++n] = name
		seen[name]; if (line ~ /^ok/ && !(name in good)) good[name] = line; bad[name] = bad[name] "\n# " line; last = name; next }
	/^# expected/ { bad[last] = bad[last] "\n" $0 }
	END { for (i = 1; i <= n; i++) { name = order[i]; if (name in good) print good[name]; else print "not ok - " name bad[name] } }')
number control <<<"$both"
for what in abstract datagram tcp terminal; do
	result "control: the caller's $what was reached" "$(grep -qx "reached $what" <<<"$shared" || printf '%s\n' "no; $shared" | grep -v ' ok')"
done
weakly strict
failed=$(grep -c '^not ok - ' <<<"$weak_out" || true)
result "control: what strict expects fails there, for at least 200 probes" "$([ "$failed" -ge 200 ] || echo "only $failed")"

# naively PROBE TARGET WORKDIR COMMAND: what came of a start that nobody looks after; nothing where it came through as it should.
# shellcheck disable=SC2016  # for the shell that is started
naively()
{
	local out command=(/bin/probe run weak "$1")
	[ "$4" = - ] || command=("$4" --version)
	naive_root "$1"
	out=$("$PROBE" caller "$WORK/caller" -- bash -c '. "$0" && naive_box "$@" 2>&1' "$here/lib.bash" "$2" "$3" "${command[@]}") || true
	# The applet that busybox has no name for: it was started in place of the command.
	[[ $out == *"ok - 11 $1: through"* || $out == *"applet not found"* ]] || [ "$(ls -A "$WORK/victim")" != file ] || echo "$out"
}

starts=
while read -r start _ _ target workdir command; do
	bad=$(naively "$start" "$target" "$workdir" "$command" </dev/null)
	result "control: 11 $start: through, where nobody looks" "$bad"
	[ -n "$bad" ] || starts+="ok - 11 $start: through"$'\n'
done < <("$PROBE" starts)

seen=$({ printf '%s\n' "$both"; printf %s "$starts"; } | sed -n 's/^ok - [0-9]* \(.*\): through.*/\1/p' | sort)
result "control: at least 230 probes get through where there is nothing to hold them" "$([ "$(wc -l <<<"$seen")" -ge 230 ] || wc -l <<<"$seen")"
blind=$("$PROBE" classes about | grep -v $'\thouse\t' | cut -f1 | while read -r class; do
	[ -n "$(comm -12 <(printf '%s\n' "$seen") <("$PROBE" classes | sed -n "s/^$class //p" | sort))" ] || echo "$class"
done)
result "control: of each class of attack some probe gets through there" "$blind"
finish
