#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# glovebox run: what it makes, and how it ends.
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	OUT=$DIR/out
	mkdir -p "$DIR"
}

result() { jq -r "$1" "$OUT/result.json"; }

@test "a run leaves image, digest, statement, result, events and logs" {
	new_spec "$DIR"
	expect_status 0 glovebox run "$DIR/build.yaml"
	expect_output "image   sha256:"
	[ -s "$OUT/image.tar" ] && [ -s "$OUT/events.jsonl" ] && [ -e "$OUT/logs/build.log" ]
	[[ $(cat "$OUT/image.digest") =~ ^sha256:[0-9a-f]{64}$ ]]
	is "$(result .outcome)" passed
	is "$(result .image.digest)" "$(cat "$OUT/image.digest")"
	is "$(result '.steps | map(.name) | join(" ")')" build
	jq -e '.predicateType == "https://slsa.dev/provenance/v1"' "$OUT/provenance.json"
	jq -es 'length > 0' "$OUT/events.jsonl"
}

@test "without a key the statement is unsigned, and verify says 4" {
	new_spec "$DIR"
	glovebox run "$DIR/build.yaml"
	is "$(result .signed)" false
	[ ! -e "$OUT/provenance.sigstore.json" ]
	new_key "$DIR/../key-$BATS_TEST_NUMBER"
	expect_status 4 glovebox verify "$OUT" --key "$WORK/key-$BATS_TEST_NUMBER.pub.pem"
}

@test "a failing build ends with 1, shows its log, and leaves no image" {
	new_spec "$DIR" "echo about to fail; exit 3"
	expect_status 1 glovebox run "$DIR/build.yaml"
	expect_output "about to fail"
	is "$(result '.steps[0].ok')" false
	is "$(result '.steps[0].code')" 3
	grep -q "about to fail" "$OUT/logs/build.log"
	[ ! -e "$OUT/image.tar" ]
}

@test "a required test that fails ends the run with 1" {
	TESTS='  tests: [{ name: unit, command: "exit 1" }]' new_spec "$DIR"
	expect_status 1 glovebox run "$DIR/build.yaml"
	is "$(result '.steps[] | select(.name == "unit") | .ok')" false
}

@test "a test that is not required may fail" {
	TESTS='  tests: [{ name: perf, command: "exit 1", required: false }]' new_spec "$DIR"
	expect_status 0 glovebox run "$DIR/build.yaml"
	is "$(result '.steps[] | select(.name == "perf") | .ok')" false
	[ -s "$OUT/image.tar" ]
}

@test "each test has its own copy of what the build left, and changes nothing in the image" {
	# The spec is no part of the source here: else the tests in it would change the image.
	apart='  sources: [{ name: src, path: ., exclude: [build.yaml, out, plain] }]'
	TESTS=$apart new_spec "$DIR"
	glovebox run "$DIR/build.yaml" --out "$DIR/plain"
	TESTS=$apart'
  tests:
    - { name: first, command: "test -x made/twice && echo x > trace && rm made/twice" }
    - { name: second, command: "test ! -e trace && test -x made/twice" }' new_spec "$DIR"
	expect_status 0 glovebox run "$DIR/build.yaml"
	cmp "$DIR/plain/image.tar" "$OUT/image.tar"
}

@test "a step that runs past its timeout is killed, and the run ends with 1" {
	new_spec "$DIR" "sleep 60"
	sed -i 's/^  build:/&\n    timeout: 500ms/' "$DIR/build.yaml"
	SECONDS=0
	expect_status 1 glovebox run "$DIR/build.yaml" --grace 100ms
	[ $SECONDS -lt 45 ]
	is "$(result '.steps[0].ok')" false
}

@test "the image holds the output at the work directory's path" {
	new_spec "$DIR"
	glovebox run "$DIR/build.yaml"
	mkdir "$DIR/image" "$DIR/layer"
	tar -C "$DIR/image" -xf "$OUT/image.tar"
	manifest=$(jq -r '.manifests[0].digest' "$DIR/image/index.json" | tr : /)
	layer=$(jq -r '.layers[0].digest' "$DIR/image/blobs/$manifest" | tr : /)
	tar -C "$DIR/layer" -xzf "$DIR/image/blobs/$layer"
	is "$(cat "$DIR/layer/src/made/link")" $'content\ncontent'
	is "$(readlink "$DIR/layer/src/made/link")" twice
	is "$(stat -c '%a %Y' "$DIR/layer/src/made/twice")" "755 315532800"
	config=$(jq -r '.config.digest' "$DIR/image/blobs/$manifest" | tr : /)
	is "$(jq -r '.config.Entrypoint[0]' "$DIR/image/blobs/$config")" /src/made/twice
}

@test "the out directory inside the source is no part of the source" {
	new_spec "$DIR"
	glovebox run "$DIR/build.yaml"
	first=$(cat "$OUT/image.digest")
	glovebox run "$DIR/build.yaml"
	is "$(cat "$OUT/image.digest")" "$first"
}

@test "an out directory with other things in it is refused and left as it is" {
	new_spec "$DIR"
	mkdir "$OUT"
	echo mine >"$OUT/file"
	expect_status 2 glovebox run "$DIR/build.yaml"
	is "$(cat "$OUT/file")" mine
}

@test "a key inside a source is refused before anything runs" {
	new_spec "$DIR"
	new_key "$DIR/key"
	expect_status 2 glovebox run "$DIR/build.yaml" --key "$DIR/key.pem"
	[ ! -e "$OUT/image.tar" ]
}

@test "a root filesystem that is not in the store is 6, a bare name is refused with what to do" {
	new_spec "$DIR"
	sed -i "s/@sha256:.*/@sha256:$(printf '%064d' 7)/" "$DIR/build.yaml"
	expect_status 6 glovebox run "$DIR/build.yaml"
	sed -i "s/@sha256:.*//" "$DIR/build.yaml"
	run glovebox run "$DIR/build.yaml"
	[ "$status" -ne 0 ]
	expect_output "sha256:"
}

@test "a spec that requires another builder id is refused with 3" {
	new_spec "$DIR"
	echo '  provenance: { requireBuilderId: "https://ci.example.com/1" }' >>"$DIR/build.yaml"
	expect_status 3 glovebox run "$DIR/build.yaml"
	expect_status 0 glovebox run "$DIR/build.yaml" --builder-id https://ci.example.com/1
}

@test "a source that is missing is refused with its place in the spec" {
	new_spec "$DIR"
	printf '  sources:\n    - name: src\n      path: srcs\n' >>"$DIR/build.yaml"
	expect_status 6 glovebox run "$DIR/build.yaml"
	expect_output "build.yaml:17:7: source 'src': no such directory 'srcs'"
	mkdir "$DIR/src"
	expect_status 6 glovebox run "$DIR/build.yaml"
	expect_output "did you mean 'src'?"
}
