#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# check, plan, tree, key, profile, and the command line itself.
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

@test "the two specimen specs: the first is valid, the second is refused at a field by name" {
	expect_status 0 glovebox check tests/unit/spec/data/seed.yaml
	expect_status 6 glovebox check tests/unit/spec/data/full.yaml
	expect_output "full.yaml:10:7: included file 'build/common.yaml': no such file"
	sed '/^  include:/,+2d' tests/unit/spec/data/full.yaml >"$WORK/full.yaml"
	expect_status 2 glovebox check "$WORK/full.yaml"
	expect_output "$WORK/full.yaml:30:7: spec.sources[2].fetch: known, but not implemented"
}

@test "what run cannot do yet, run refuses by name" {
	expect_status 0 glovebox check tests/unit/spec/data/seed.yaml
	expect_output qualityGates
}

@test "errors have file, line, column and the nearest key" {
	new_spec "$WORK/bad"
	sed -i 's/^  build:/  biuld:/' "$WORK/bad/build.yaml"
	expect_status 2 glovebox check "$WORK/bad/build.yaml"
	expect_output "build.yaml:8:3:"
	expect_output "did you mean 'build'"
}

@test "the example's spec is valid" {
	expect_status 0 glovebox check examples/hello/build.yaml
}

@test "the schema is JSON, and covers the spec's fields" {
	glovebox check --schema | jq -e '."$schema" and .properties.spec'
}

@test "a missing spec is 6, a directory too" {
	expect_status 6 glovebox check "$WORK/none.yaml"
	expect_status 6 glovebox check "$WORK"
}

@test "plan names every input by digest" {
	new_spec "$WORK/plan"
	glovebox plan "$WORK/plan/build.yaml" >"$WORK/plan.json"
	jq -e '[.. | .digest? // empty | strings] | length >= 2 and all(startswith("sha256:"))' "$WORK/plan.json"
	is "$(glovebox plan "$WORK/plan/build.yaml")" "$(cat "$WORK/plan.json")"
}

@test "tree: a manifest whose digest is its own SHA-256, and that mtree and bsdtar accept" {
	mkdir "$WORK/tree"
	echo a >"$WORK/tree/a b"
	ln -s "a b" "$WORK/tree/link"
	glovebox tree "$WORK/tree" >"$WORK/tree.mtree"
	is "$(head -n 1 "$WORK/tree.mtree")" "#mtree"
	is "$(glovebox tree "$WORK/tree" --digest)" "sha256:$(sha256sum <"$WORK/tree.mtree" | cut -d ' ' -f 1)"
	chmod 755 "$WORK/tree"
	is "$(mtree -p "$WORK/tree" -f "$WORK/tree.mtree")" ""
	is "$(bsdtar -tf "$WORK/tree.mtree" | sort | tr '\n' ' ')" ". ./a b ./link "
}

@test "tree refuses odd files by name" {
	mkdir "$WORK/odd"
	mkfifo "$WORK/odd/pipe"
	expect_status 6 glovebox tree "$WORK/odd"
	expect_output pipe
}

@test "key: made once, never overwritten, private half 0600" {
	expect_status 0 glovebox key generate "$WORK/k"
	is "$(stat -c %a "$WORK/k.pem")" 600
	id=$output
	expect_status 0 glovebox key show "$WORK/k.pub.pem"
	expect_output "$id"
	expect_status 2 glovebox key generate "$WORK/k"
	openssl pkey -in "$WORK/k.pem" -noout
}

@test "profile: the shipped ones are listed, shown and usable as a file" {
	expect_status 0 glovebox profile list
	for name in default strict debug; do
		expect_output "$name"
	done
	glovebox profile show default >"$WORK/mine.yaml"
	expect_status 0 glovebox exec --rootfs "$ROOTFS" --profile "$WORK/mine.yaml" -- true
	expect_status 2 glovebox profile show nothing
}

@test "commands: unknown is 2 with the nearest, an option to come is named, help and version are 0" {
	expect_status 2 glovebox
	expect_status 2 glovebox verfiy
	expect_output "did you mean 'verify'"
	expect_status 2 glovebox run --jobs 2 build.yaml
	expect_output "not in this version"
	expect_status 0 glovebox --help
	expect_status 0 glovebox --version
}

@test "a full standard output is an error" {
	run bash -c '"$GLOVEBOX" check --schema >/dev/full'
	[ "$status" -ne 0 ]
}
