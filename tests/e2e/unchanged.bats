#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What has not changed is not read again: files that are known by what stat(2) says of them.
load lib

setup_file()
{
	begin_file
	mkdir -p "$WORK/tree/sub/deeper"
	for i in {1..60}; do
		echo "content $i" >"$WORK/tree/sub/f$i"
	done
	echo one >"$WORK/tree/sub/deeper/one"
	# Files just written are read again: another write could fall into the same tick of the clock.
	sleep 2.2
	glovebox tree "$WORK/tree" --digest >"$WORK/first"
}
teardown_file() { end_file; }

# Of what lies on other file systems nothing is remembered at once (glovebox-store(5)); then all is read.
remembers()
{
	[[ $(stat -f -c %T "$WORK") =~ ^(ext2/ext3|xfs|btrfs|f2fs)$ ]]
}

# opened COMMAND…: the files of the tree that it opens; directories are no files.
opened()
{
	strace -f -qq -e trace=open,openat,openat2,name_to_handle_at,open_by_handle_at -o "$WORK/trace" "$@" >"$WORK/said"
	grep -v O_DIRECTORY "$WORK/trace" | grep -oE '"(f[0-9]+|one|two)"' | sort -u
}

@test "an unchanged tree is digested without opening a file" {
	run opened "$GLOVEBOX" tree "$WORK/tree" --digest
	is "$(grep -c . <<<"$output")" "$(remembers && echo 0 || echo 61)"
	cmp "$WORK/said" "$WORK/first"
	# The trace does see what is opened.
	run opened "$GLOVEBOX" tree "$WORK/tree" --digest --no-cache
	is "$(wc -l <<<"$output")" 61
	cmp "$WORK/said" "$WORK/first"
}

@test "of a changed tree, what changed is opened" {
	cp -a "$WORK/tree" "$WORK/changed"
	sleep 2.2
	glovebox tree "$WORK/changed" --digest >/dev/null
	touch -r "$WORK/changed/sub/deeper/one" "$WORK/stamp"
	echo two >"$WORK/changed/sub/deeper/one"
	touch -r "$WORK/stamp" "$WORK/changed/sub/deeper/one"
	run opened "$GLOVEBOX" tree "$WORK/changed" --digest
	is "$(grep -c . <<<"$output")" "$(remembers && echo 1 || echo 61)"
	grep -q '"one"' <<<"$output"
	is "$(cat "$WORK/said")" "$(glovebox tree "$WORK/changed" --digest --no-cache)"
	run ! cmp -s "$WORK/said" "$WORK/first"
}

@test "a store that cannot be had is done without, unless it was asked for" {
	GLOVEBOX_STORE=/proc/none/store glovebox tree "$WORK/tree" --digest >"$WORK/without"
	cmp "$WORK/without" "$WORK/first"
	expect_status 5 glovebox tree "$WORK/tree" --digest --store /proc/none/store
}

@test "a damaged memory is none" {
	for file in "$GLOVEBOX_STORE"/derived/stat-*; do
		[ ! -e "$file" ] || head -c 100 /dev/urandom >"$file"
	done
	glovebox tree "$WORK/tree" --digest >"$WORK/damaged"
	cmp "$WORK/damaged" "$WORK/first"
	run opened "$GLOVEBOX" tree "$WORK/tree" --digest
	is "$(grep -c . <<<"$output")" "$(remembers && echo 0 || echo 61)"
}

@test "trees digested at once are all right" {
	for i in {1..12}; do
		glovebox tree "$WORK/tree" --digest >"$WORK/at-once.$i" &
	done
	wait
	for i in {1..12}; do
		cmp "$WORK/at-once.$i" "$WORK/first"
	done
}
