#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The example that the README begins with, as the README says it. The others, and podman, are for `make check-long`.
# shellcheck disable=SC2154  # $output is bats's
load lib

setup_file()
{
	umask 022
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-e2e.XXXXXX")
	chmod 755 "$WORK"
	export WORK
}
teardown_file() { end_file; }

@test "examples/hello is built, run, verified and reproduced" {
	run -0 examples/demo.sh "$GLOVEBOX" "$WORK/demo"
	[[ $output == *"    hello, auditor"* ]]
	[[ $output == *$'\nverified\nreproduced: identical\n'* ]]
	[ "$(cat "$WORK/demo/out/image.digest")" = "$(sed -n 's/^image digest: //p' <<<"$output")" ]
}

@test "its evidence, alone in an empty store, of another user where there is one, gives the same bits; with one source byte changed it is refused before building" {
	glovebox run "$WORK/demo/hello/build.yaml" --store "$WORK/demo/store" --out "$WORK/out" --key "$WORK/demo/demo-key.pem" --evidence "$WORK/hello.evidence"
	python3 "$BATS_TEST_DIRNAME/forge_evidence.py" source-restated "$WORK/hello.evidence" "$WORK/changed.evidence"
	cp "$WORK/demo/demo-key.pub.pem" "$WORK/key.pub.pem"
	mkdir "$WORK/theirs"
	as=() program=$GLOVEBOX
	if [ "$(id -u)" = 0 ]; then
		as=(setpriv --reuid 4321 --regid 4321 --clear-groups)
		chown 4321:4321 "$WORK/theirs"
		chmod go+r "$WORK"/*.evidence "$WORK/key.pub.pem"
		program=$(program_for_others)
	fi
	as+=(env -u GLOVEBOX_STORE HOME="$WORK/theirs" "$program" reproduce --key "$WORK/key.pub.pem" --store "$WORK/theirs/store")
	expect_status 4 "${as[@]}" "$WORK/changed.evidence"
	expect_output "the evidence's input 'src'"
	[[ $output != *"build again"* ]]
	expect_status 0 "${as[@]}" "$WORK/hello.evidence" --keep "$WORK/theirs/kept"
	expect_output "reproduced: identical"
	cmp "$WORK/theirs/kept/image.tar" "$WORK/demo/out/image.tar"
}
