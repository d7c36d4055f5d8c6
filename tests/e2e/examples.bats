#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The example that the README begins with, as the README says it. The others, and podman, are for `make check-long`.
# shellcheck disable=SC2154  # $output is bats's
load lib

setup()
{
	umask 022
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-e2e.XXXXXX")
	chmod 755 "$WORK"
}

teardown()
{
	chmod -R u+rwX "$WORK"
	rm -rf "$WORK"
}

@test "examples/hello is built, run, verified and reproduced" {
	run -0 examples/demo.sh "$GLOVEBOX" "$WORK/demo"
	[[ $output == *"    hello, auditor"* ]]
	[[ $output == *$'\nverified\nreproduced: identical\n'* ]]
	[ "$(cat "$WORK/demo/out/image.digest")" = "$(sed -n 's/^image digest: //p' <<<"$output")" ]
}
