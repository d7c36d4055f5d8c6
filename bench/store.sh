#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/store.sh BUILD_DIR [PART]…: what hashing a tree, importing and packing it cost, against the usual tools in the same run, and what
# a run costs in which little or nothing has changed (bench/README.md). The tree is a copy of this machine's own /usr: 1 GB of small and
# large files. PART: digest, unchanged, import, gzip, zstd, others, first, nothing; all of them by default. On two processors each takes less than five
# minutes, and making the tree one more. RUNS: how often each command runs, but three times that are not counted.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.bash
. "$here/lib.bash"
begin "$@"
: "${work:?}" "${build:?}"
runs=${RUNS:-9} few=${RUNS:-4} rounds='' how=''
export BYTES=${BYTES:-900000000}

shift
parts=("${@:-all}")
tool -o "$work/bin/interleave" "$here/interleave.c"
tool -static -o "$work/rootfs/bin/stamp" "$here/stamp.c"
tool -static -o "$work/rootfs/bin/true" "$here/true.c"

# Whether a part is wanted.
part()
{
	[[ " ${parts[*]} " == *" all "* || " ${parts[*]} " == *" $1 "* ]]
}

# Three files of four, in the order of their names, up to so many bytes: large ones would make it a test of reading alone.
make_tree()
{
	mkdir "$work/tree"
	find /usr -xdev -type f -size -3M -readable -printf '%s %p\n' | LC_ALL=C sort -k 2 | awk '
		NR % 4 && (sum += $1) <= ENVIRON["BYTES"] { sub(/^[0-9]+ /, ""); print }' >"$work/list"
	tar -cf - --hard-dereference --no-recursion -T "$work/list" 2>/dev/null | tar -xf - -C "$work/tree" --no-same-owner
	echo "$(find "$work/tree" -type f | wc -l) files, $(du -sh --apparent-size "$work/tree" | cut -f 1)"
}

# Each command is a line for bash, in the work directory.
in_turn()
{
	local command=() line
	for line; do
		[ ${#command[@]} -eq 0 ] || command+=(:::)
		command+=("${line%%=*}=" bash -c "cd '$work' && ${line#*=}")
	done
	as "$work/bin/interleave" ${how:+"$how"} "${rounds:-$runs}" "${command[@]}"
}

digest()
{
	printf '\ndigest of the tree, nothing known of it\n'
	in_turn 'glovebox tree --digest=bin/glovebox tree tree --digest --store unknown && rm -rf unknown' \
		'openssl dgst -sha256=find tree -type f -print0 | xargs -0 openssl dgst -sha256' \
		'sha256sum=find tree -type f -print0 | xargs -0 sha256sum'
}

unchanged()
{
	printf '\nthe same, unchanged\n'
	as "$work/bin/glovebox" tree "$work/tree" --digest --store "$work/known" >/dev/null
	in_turn "find -printf=find tree -printf '%i %s %T@\\n' >/dev/null" \
		'glovebox tree --digest=bin/glovebox tree tree --digest --store known'
	! command -v strace >/dev/null || opened
}

# How many files of the tree are opened then: what is neither a directory nor lies in the store.
opened()
{
	as strace -f -qq -e trace=open,openat,openat2 -o "$work/opens" "$work/bin/glovebox" tree "$work/tree" --digest --store "$work/known" >/dev/null
	awk '/ = [0-9]+$/ && !/O_DIRECTORY|O_PATH/ && !/"\// && /O_NOCTTY/ && /O_NOFOLLOW/ { n++ } END { print n + 0, "files of the tree opened" }' "$work/opens"
}

import()
{
	printf '\nimport\n'
	rounds=$few in_turn 'cp -a=cp -a tree copy' 'glovebox rootfs import=bin/glovebox rootfs import t tree --store imported' \
		'removal of the copy=rm -rf copy' 'removal of the store=rm -rf imported'
}

# pack CODEC RIVAL: the archive is written over in each round.
pack()
{
	printf '\nimage pack, %s\n' "$1"
	rounds=$few in_turn "$2" "glovebox image pack=bin/glovebox image pack tree -o image.tar --compression $1 --store packed"
	stat -c '%s bytes: %n' "$work/rival.$1" "$work/image.tar" | sed "s|$work/||"
	as python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, "MiB at most")' \
		"$work/bin/glovebox" image pack "$work/tree" -o "$work/image.tar" --compression "$1" --store "$work/packed"
}

# Tools that make images. All as root where root runs this: buildah wants to be, or to have ids in /etc/subuid.
others()
(
	[ "$(id -u)" != 0 ] || as() { "$@"; }
	local them=('umoci insert=rm -rf layout && umoci init --layout layout && umoci new --image layout:x && umoci insert --rootless --image layout:x tree /tree')

	printf '\nimage pack, gzip, against what makes images\n'
	if ! command -v buildah >/dev/null; then
		echo 'left out: buildah, which is not installed'
	else
		them+=("buildah=b='buildah --root $work/buildah --runroot $work/buildah.run --storage-driver vfs' && c=\$(\$b from scratch) && \$b copy -q \$c tree /tree && \$b commit -q \$c oci-archive:buildah.tar && \$b rm \$c && rm -f buildah.tar")
	fi
	# Minutes each: one round warms them.
	rounds=${OTHER_RUNS:-4} how=--pairs
	in_turn 'glovebox image pack=bin/glovebox image pack tree -o image.tar --to /tree --store packed' "${them[@]}"
)

# new_spec NAME SOURCE BUILD TESTS: a spec beside the tree with a source there, a build, and so many tests.
new_spec()
{
	local i
	{
		printf '%s\n' 'apiVersion: platform.build/v1' 'kind: BuildSpec' "metadata: {name: $1}" 'spec:' \
			"  rootfs: {ref: $(as "$work/bin/glovebox" rootfs list --store "$work/runs" | head -n 1)}" \
			"  sources: [{name: src, path: $2, mount: /src}]" \
			'  build:' "    argv: [$3]" '    workdir: /src' "    artifact: {imageName: bench/$1, base: scratch}"
		[ "$4" = 0 ] || echo '  tests:'
		for ((i = 1; i <= $4; i++)); do echo "  - {name: t$i, argv: [/bin/true]}"; done
	} >"$work/$1.yaml"
	own "$work/$1.yaml"
}

# From the start of glovebox until a step runs: 5,000 files, one of which has changed.
first()
{
	local i begun
	mkdir "$work/five"
	(cd "$work/tree" && find . -type f -size -64k | LC_ALL=C sort | awk 'NR <= 5000' | tar -cf - -T -) | tar -xf - -C "$work/five"
	own "$work/five"
	new_spec first five /bin/stamp 0
	sleep 3
	printf '\nfrom the start of run to the first instruction of its step, 5,000 files, one of them changed, %d runs\n' "$runs"
	for ((i = 0; i < runs; i++)); do
		echo "$i" >>"$work/five/changed"
		own "$work/five/changed"
		begun=${EPOCHREALTIME/[.,]/}
		as "$work/bin/glovebox" run "$work/first.yaml" --store "$work/runs" --out "$work/first" --quiet >/dev/null
		echo $(($(<"$work/first/logs/build.log") - begun))
	done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f ms (median; %.1f to %.1f)\n", v[int((NR + 1) / 2)] / 1000, v[1] / 1000, v[NR] / 1000 }'
	printf 'the walk of those files\n'
	in_turn 'glovebox tree --digest=bin/glovebox tree five --digest --store runs'
}

# 50 steps and an artifact of 10 MB, nothing changed.
nothing()
{
	mkdir "$work/ten"
	head -c 10000000 /dev/urandom >"$work/ten/data"
	own "$work/ten"
	new_spec nothing ten /bin/true 49
	sleep 3
	as "$work/bin/glovebox" run "$work/nothing.yaml" --store "$work/runs" --out "$work/nothing" --quiet >/dev/null
	printf '\nrun of 50 steps, an image of 10 MB, nothing changed\n'
	in_turn 'glovebox tree --digest=bin/glovebox tree ten --digest --store runs' \
		'glovebox run=bin/glovebox run nothing.yaml --store runs --out nothing --quiet'
}

about
make_tree
hand_over_work
# Files are remembered once they have been left alone, and writing them back would be measured too.
sync
sleep 3
as "$work/bin/glovebox" rootfs import --store "$work/runs" bench "$work/rootfs" >/dev/null
! part digest || digest
! part unchanged || unchanged
! part import || import
# Digests by way of named pipes: bash waits for no >(…), whose time would be counted nowhere, or to the next command.
# shellcheck disable=SC2016
! part gzip || pack gzip 'tar, pigz -6, two openssl=rm -f pipe.? && mkfifo pipe.1 pipe.2 && { openssl sha256 <pipe.1 & openssl sha256 <pipe.2 & } && tar -C tree --sort=name -cf - . | tee pipe.1 | pigz -6 | tee pipe.2 >rival.gzip && wait'
! part zstd || pack zstd 'tar, zstd -3 -T2=tar -C tree --sort=name -cf - . | zstd -q -3 -T2 >rival.zstd'
! part others || others
! part first || first
! part nothing || nothing
