#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What every_call.t has found, each by itself.
load lib

setup() { begin_file; DIR=$WORK/d; }
teardown() { end_file; }

# run_with FAULT N: a run that one call fails to.
run_with()
{
	new_spec "$DIR"
	expect_status "$1" under "$2" "$3" -- run "$DIR/build.yaml"
	grep '^at ' "$WORK/report"
}

@test "a disk that fails while the output is read is no failing step" {
	run_with 125 EIO:openat:made 2
	expect_output "collect what step 'build' left: read directory 'made': Input/output error"
	run_with 125 EMFILE:openat:twice 1
	expect_output "collect what step 'build' left: read 'made/twice': Too many open files"
}

@test "a disk that fails under the out directory is no mistake of who names it" {
	run_with 125 "EIO:openat:$DIR/out" 1
	run_with 125 "EMFILE:openat:$DIR/out" 1
	expect_status 0 glovebox run "$DIR/build.yaml"
	# Whose directory it is cannot be told: not that it is another's.
	run_with 6 EIO:openat:result.json 1
	expect_status 2 glovebox run "$DIR/build.yaml" --out "$DIR/input.txt"
	expect_status 2 glovebox run "$DIR/build.yaml" --out "$DIR/input.txt/out"
}

@test "a signal does not lose the view of what a step left" {
	run_with 0 EINTR:sendmsg 1
}

@test "a place without room for the result is no mistake of who names it" {
	new_spec "$DIR"
	expect_status 125 under ENOSPC:openat 1 -- image pack "$DIR" -o "$WORK/new.tar"
	expect_status 2 glovebox image pack "$DIR" -o "$WORK/not/there/new.tar"
}

@test "a verification that runs out of descriptors removes nothing" {
	new_spec "$DIR"
	glovebox run "$DIR/build.yaml"
	local had n
	had=$(cd "$GLOVEBOX_STORE" && find objects trees results rootfs -type f | sort)
	for n in 10 40 70 100; do
		expect_status 125 under EMFILE:openat $n -- cache verify
		is "$(cd "$GLOVEBOX_STORE" && find objects trees results rootfs -type f | sort)" "$had"
	done
}
