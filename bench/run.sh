#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/run.sh BUILD_DIR: what a sandbox costs to start, to use 200 times and to end, against the bare system calls and
# other tools in the same run (bench/README.md). Root hands itself over to an ordinary user: that is whom it is for.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.bash
. "$here/lib.bash"
begin "$@"
: "${work:?}" "${build:?}"
runs=${RUNS:-200}

tool -static -o "$work/rootfs/bin/true" "$here/true.c"
tool -static -o "$work/rootfs/bin/crowd" "$here/crowd.c"
tool -o "$work/bin/interleave" "$here/interleave.c"
tool -o "$work/bin/ending" "$here/ending.c"
tool -static -o "$work/rootfs/bin/calls" "$here/calls.c"
tool -I"$here/.." -o "$work/bin/confined" "$here/confined.c" "$build/libbase.a" -lcap -lcrypto -ljansson
tool -I"$here/.." -o "$work/bin/filter" "$here/filter.c" "$build/libprofiles.a"
"$work/bin/filter" default >"$work/filter"
hand_over_work
as "$work/bin/glovebox" rootfs import --store "$work/store" bench "$work/rootfs" >/dev/null

exec_in=("$work/bin/glovebox" exec --store "$work/store" --rootfs bench)
bwrap_in=(bwrap --unshare-all --unshare-user --uid 1000 --gid 1000 --hostname glovebox --die-with-parent --new-session
	--ro-bind "$work/rootfs" / --proc /proc --dev /dev --tmpfs /tmp --clearenv)

# trace NAME COMMAND…: one file a process, in order, in $traces. What its output is decides about calls, so it is /dev/null, as
# where it is timed.
trace()
{
	mkdir -p "$work/$1"
	own "$work/$1"
	as strace -ff -v -X raw -s 100000 "${inject[@]}" -o "$work/$1/t" "${@:2}" >/dev/null 2>&1 || {
		echo "bench: strace of '${*:2}' fails" >&2
		exit 1
	}
	mapfile -t traces < <(printf '%s\n' "$work/$1"/t.* | sort -V)
}

# The same calls, bare. init makes itself unreadable, also for strace as the same user; so a first trace finds that call,
# and a second one, in which strace withholds it, sees the rest.
make_bare()
{
	local nth
	inject=()
	trace first "${exec_in[@]}" -- /bin/true
	nth=$(grep '^prctl(' "${traces[1]}" | grep -n '^prctl(0x4, 0)' | cut -d: -f1)
	inject=(-e "inject=prctl:retval=0:when=$nth")
	trace second "${exec_in[@]}" -- /bin/true
	perl "$here/bare.pl" "${traces[@]}" >"$work/bare.c"
	tool -static -w -o "$work/bin/bare" "$work/bare.c"
}

# counts FILE: "call number" a line, of strace -c.
counts()
{
	awk '$1 ~ /^[0-9.]+$/ && $NF != "total" { print $NF, $4 }' "$1" | sort
}

# Whether the bare program makes as many of each call as glovebox does.
compare_calls()
{
	as strace -f -c -o "$work/second/glovebox" "${exec_in[@]}" -- /bin/true >/dev/null 2>&1
	as strace -f -c -o "$work/second/bare" "$work/bin/bare" >/dev/null 2>&1
	join -a1 -a2 -e 0 -o 0,1.2,2.2 <(counts "$work/second/glovebox") <(counts "$work/second/bare") | awk '
		{ a += $2; b += $3; n++ }
		$2 != $3 { different = different sprintf("  %-28s %10d %10d\n", $1, $2, $3) }
		END { printf "%-30s %10s %10s\n%-30s %10d %10d\n", "system calls (strace -f -c)", "glovebox", "bare", n " different ones", a, b
		      printf "%s", different == "" ? "no call differs in number\n" : "these differ:\n" different }'
}

# A runtime that works here, as arguments for interleave; else a line that says why it is left out.
oci=()
add_oci()
{
	if said=$(as "${@:2}" 2>&1 >/dev/null); then
		oci+=(::: "$1=" "${@:2}")
	else
		echo "left out: $1 does not run here: $(tail -n 1 <<<"$said")"
	fi
}

measure_start()
{
	mkdir "$work/oci" "$work/crun" "$work/runc"
	python3 "$here/oci-config.py" "$here/../profiles/default.yaml" "$work/rootfs" "$(as id -u)" >"$work/oci/config.json"
	own "$work/crun" "$work/runc"
	add_oci crun crun --root "$work/crun" --cgroup-manager=disabled run -b "$work/oci" bench
	add_oci runc runc --root "$work/runc" --rootless true run -b "$work/oci" bench
	as "$work/bin/interleave" "$runs" \
		bare= "$work/bin/bare" ::: \
		glovebox= "${exec_in[@]}" -- /bin/true ::: \
		'bwrap, same filter=' "9<$work/filter" "${bwrap_in[@]}" --seccomp 9 /bin/true ::: \
		'bwrap, no filter=' "${bwrap_in[@]}" /bin/true ::: \
		'true=' "$work/rootfs/bin/true" ::: \
		'glovebox --version=' "$work/bin/glovebox" --version "${oci[@]}"
}

# A build and 199 tests, each of them a sandbox of its own on a copy of what the build left.
measure_steps()
{
	local i
	mkdir "$work/steps"
	{
		printf '%s\n' 'apiVersion: platform.build/v1' 'kind: BuildSpec' 'metadata: {name: steps}' 'spec:' \
			"  rootfs: {ref: $(as "$work/bin/glovebox" rootfs list --store "$work/store" | head -n 1)}" \
			'  build:' '    argv: [/bin/true]' '    artifact: {imageName: bench/steps, base: scratch}' '  tests:'
		for ((i = 1; i < 200; i++)); do echo "  - {name: t$i, argv: [/bin/true]}"; done
	} >"$work/steps/build.yaml"
	own "$work/steps"
	as "$work/bin/interleave" "${STEP_RUNS:-5}" \
		'glovebox run=' "$work/bin/glovebox" run --no-cache "$work/steps/build.yaml" --store "$work/store" --out "$work/steps/out" ::: \
		'bwrap, 200 times=' sh -c "${loop:=i=0; while [ \$i -lt 200 ]; do \"\$@\" || exit; i=\$((i+1)); done}" - "${bwrap_in[@]}" /bin/true ::: \
		'glovebox exec, 200 times=' sh -c "$loop" - "${exec_in[@]}" -- /bin/true |
		awk '{ print $0 (NR == 1 ? "  steps/s" : sprintf("  %7.0f", 200e6 / $(NF - 4))) }'
}

measure_end()
{
	as "$work/bin/ending" "${END_RUNS:-30}" \
		'kill of the group=' "$work/rootfs/bin/crowd" 100 ::: \
		'glovebox exec=' "${exec_in[@]}" -- /bin/crowd 100 ::: \
		'bwrap=' "${bwrap_in[@]}" /bin/crowd 100
}

# 20,000 calls that are asked about, and as many that are not: what one more costs.
measure_learning()
{
	as "$work/bin/interleave" "${LEARN_RUNS:-10}" \
		'exec=' "${exec_in[@]}" -- /bin/calls 20000 ::: \
		'profile learn=' "$work/bin/glovebox" profile learn --store "$work/store" --rootfs bench -- /bin/calls 20000 ::: \
		'profile learn, no calls=' "$work/bin/glovebox" profile learn --store "$work/store" --rootfs bench -- /bin/calls 0
}

make_bare
about
echo
compare_calls
printf '\nstart of a static true, %d interleaved runs\n' "$runs"
measure_start
printf '\n200 trivial steps\n'
measure_steps
printf '\nend of 100 processes, from SIGTERM to nobody left\n'
measure_end
printf '\na confined reader, %d rounds in turn\n' "${CONFINED_ROUNDS:-200}"
as "$work/bin/confined" "${CONFINED_ROUNDS:-200}"
printf '\nlearning a profile\n'
measure_learning
