#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What every_call.t has found, each by itself.
load lib

setup() { begin_file; DIR=$WORK/d; }
teardown() { end_file; }

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
