#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The program of `make static`, which comes before this in check-long.
load ../e2e/lib

setup_file()
{
	begin_file
	new_spec "$WORK/spec"
}
teardown_file() { end_file; }

@test "a program without shared libraries says that it can load no token's" {
	static=${O:-build}/static/glovebox
	[ -x "$static" ]
	expect_status 2 "$static" run "$WORK/spec/build.yaml" --out "$WORK/out" --key "pkcs11:object=sign" --passphrase-fd 7 7<<<1234
	expect_output "linked without shared libraries"
	[ ! -e "$WORK/out/image.tar" ]
}
