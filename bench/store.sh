#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/store.sh BUILD_DIR: what hashing a tree, importing and packing it cost, against the usual tools in the same run
# (bench/README.md). The tree is a copy of this machine's own /usr: 1 GB of small and large files.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.bash
. "$here/lib.bash"
begin "$@"
: "${work:?}" "${build:?}"
runs=${RUNS:-9}
export BYTES=${BYTES:-1050000000}

tool -o "$work/bin/interleave" "$here/interleave.c"

# Three files of four, in the order of their names, up to so many bytes: large ones would make it a test of reading alone.
make_tree()
{
	mkdir "$work/tree"
	find /usr -xdev -type f -size -3M -readable -printf '%s %p\n' | LC_ALL=C sort -k 2 | awk '
		NR % 4 && (sum += $1) <= ENVIRON["BYTES"] { sub(/^[0-9]+ /, ""); print }' >"$work/list"
	tar -cf - --hard-dereference --no-recursion -T "$work/list" 2>/dev/null | tar -xf - -C "$work/tree" --no-same-owner
	echo "$(find "$work/tree" -type f | wc -l) files, $(du -sh --apparent-size "$work/tree" | cut -f 1)"
}

# Each command is a line for sh, in the work directory. Stores are thrown away within the round: the next one begins empty.
in_turn()
{
	local command=() line
	for line; do
		[ ${#command[@]} -eq 0 ] || command+=(:::)
		command+=("${line%%=*}=" bash -c "cd '$work' && ${line#*=}")
	done
	as "$work/bin/interleave" "$runs" "${command[@]}"
}

about
make_tree
hand_over_work
# Files are remembered once they have been left alone, and writing them back would be measured too.
sync
sleep 3

printf '\ndigest of the tree, nothing known of it\n'
in_turn 'glovebox tree --digest=bin/glovebox tree tree --digest --store unknown && rm -rf unknown' \
	'openssl dgst -sha256=find tree -type f -print0 | xargs -0 openssl dgst -sha256' \
	'sha256sum=find tree -type f -print0 | xargs -0 sha256sum'

printf '\nthe same, unchanged\n'
as "$work/bin/glovebox" tree "$work/tree" --digest --store "$work/known" >/dev/null
in_turn "find -printf=find tree -printf '%i %s %T@\\n' >/dev/null" \
	'glovebox tree --digest=bin/glovebox tree tree --digest --store known'

printf '\nimport, and removal of what it made\n'
in_turn 'cp -a=cp -a tree copy && rm -rf copy' \
	'glovebox rootfs import=bin/glovebox rootfs import t tree --store imported && rm -rf imported'

for codec in gzip:'pigz -6' zstd:'zstd -q -3 -T2'; do
	printf '\nimage pack, %s\n' "${codec%%:*}"
	in_turn "tar and ${codec#*:}=tar -C tree --sort=name -cf - . | tee >(openssl sha256 >/dev/null) | ${codec#*:} | tee >(openssl sha256 >/dev/null) >rival.${codec%%:*}" \
		"glovebox image pack=bin/glovebox image pack tree -o image.tar --compression ${codec%%:*} --store packed && rm -rf packed"
	stat -c '%s bytes: %n' "$work/rival.${codec%%:*}" "$work/image.tar" | sed "s|$work/||"
done
