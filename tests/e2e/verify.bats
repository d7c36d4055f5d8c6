#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What comes out, judged by glovebox and by others; one changed byte, and it is refused.
load lib

setup_file()
{
	begin_file
	new_spec "$WORK/spec" 'mkdir bin && cp /bin/busybox bin/ && echo built'
	sed -i 's#entrypoint: .*#entrypoint: ["/src/bin/busybox", "echo", "hello"]#' "$WORK/spec/build.yaml"
	new_key "$WORK/key"
	new_key "$WORK/other"
	"$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem" --builder-id https://ci.example.com/1
}
teardown_file() { end_file; }

setup()
{
	COPY=$WORK/copy-$BATS_TEST_NUMBER
	cp -r "$WORK/out" "$COPY"
}

verify() { glovebox verify "$@" --key "$WORK/key.pub.pem"; }

# flip FILE OFFSET: changes one bit of one byte.
flip()
{
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059  # the format is the byte
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "what was built verifies, also deeply, and by the image alone" {
	expect_status 0 verify "$COPY"
	expect_output verified
	expect_output "$(cat "$COPY/image.digest")"
	expect_status 0 verify "$COPY" --deep
	expect_status 0 verify "$COPY/image.tar"
	mv "$COPY/provenance.sigstore.json" "$COPY/elsewhere.json"
	expect_status 0 verify "$COPY/image.tar" --bundle "$COPY/elsewhere.json"
}

@test "another key is not accepted; one of several is" {
	expect_status 4 glovebox verify "$COPY" --key "$WORK/other.pub.pem"
	expect_status 0 verify "$COPY" --key "$WORK/other.pub.pem"
	expect_status 2 glovebox verify "$COPY"
}

@test "builder, source and parameter can be required" {
	expect_status 0 verify "$COPY" --builder-id https://ci.example.com/1
	expect_status 4 verify "$COPY" --builder-id https://ci.example.com/2
	expect_status 0 verify "$COPY" --param spec.fileName=build.yaml
	expect_status 4 verify "$COPY" --param spec.fileName=other.yaml
	expect_status 4 verify "$COPY" --param spec.nothing=x
	uri=$(jq -r '.predicate.buildDefinition.resolvedDependencies[] | select(.name == "src") | .uri' "$COPY/provenance.json")
	expect_status 0 verify "$COPY" --source "$uri"
	expect_status 4 verify "$COPY" --source "$uri/x"
}

@test "a flipped bit anywhere in the image is refused" {
	size=$(stat -c %s "$COPY/image.tar")
	for ((at = 0; at < size; at += size / 37)); do
		cp "$WORK/out/image.tar" "$COPY/image.tar"
		flip "$COPY/image.tar" "$at"
		expect_status 4 verify "$COPY" || {
			echo "offset $at of $size" >&2
			return 1
		}
	done
}

@test "a flipped bit anywhere in the bundle is refused" {
	size=$(stat -c %s "$COPY/provenance.sigstore.json")
	for ((at = 0; at < size; at += size / 61)); do
		cp "$WORK/out/provenance.sigstore.json" "$COPY/provenance.sigstore.json"
		flip "$COPY/provenance.sigstore.json" "$at"
		expect_status 4 verify "$COPY" || {
			echo "offset $at of $size" >&2
			return 1
		}
	done
}

@test "a changed statement in the bundle is refused" {
	for change in 's/"fileName":"build.yaml"/"fileName":"built.yaml"/' 's/startedOn":"2/startedOn":"3/'; do
		payload=$(jq -r .dsseEnvelope.payload "$WORK/out/provenance.sigstore.json" | base64 -d | sed "$change" | base64 -w 0)
		jq -c --arg p "$payload" '.dsseEnvelope.payload = $p' "$WORK/out/provenance.sigstore.json" >"$COPY/provenance.sigstore.json"
		expect_status 4 verify "$COPY"
	done
}

@test "image, bundle or both cut short, empty or missing are refused" {
	for file in image.tar provenance.sigstore.json; do
		truncate -s -1 "$COPY/$file"
		expect_status 4 verify "$COPY"
		truncate -s 0 "$COPY/$file"
		expect_status 4 verify "$COPY"
		rm "$COPY/$file"
		expect_status 4 verify "$COPY"
		cp "$WORK/out/$file" "$COPY/$file"
	done
}

@test "another run's image does not pass with this bundle" {
	new_spec "$WORK/spec2" "echo other > other"
	glovebox run "$WORK/spec2/build.yaml" --out "$WORK/out2" --key "$WORK/key.pem"
	cp "$WORK/out2/image.tar" "$COPY/image.tar"
	expect_status 4 verify "$COPY"
}

@test "openssl alone verifies the signature, and refuses a changed one" {
	run tests/e2e/judges/verify-with-openssl.sh "$COPY/provenance.sigstore.json" "$WORK/key.pub.pem"
	is "$status" 0
	run tests/e2e/judges/verify-with-openssl.sh "$COPY/provenance.sigstore.json" "$WORK/other.pub.pem"
	is "$status" 1
}

@test "sigstore's verifier accepts the bundle, and refuses it under another key" {
	run node "${O:-build}/judges/verify-bundle.mjs" "$COPY/provenance.sigstore.json" "$WORK/key.pub.pem"
	is "$status $output" "0 accepted"
	run node "${O:-build}/judges/verify-bundle.mjs" "$COPY/provenance.sigstore.json" "$WORK/other.pub.pem"
	is "$status" 1
}

@test "an Ed25519 key signs and verifies; openssl and sigstore's verifier say the same" {
	glovebox key generate "$COPY/ed" --type ed25519
	new_key "$COPY/ec"
	glovebox run "$WORK/spec/build.yaml" --out "$COPY/out" --key "$COPY/ed.pem"
	bundle=$COPY/out/provenance.sigstore.json
	expect_status 0 glovebox verify "$COPY/out" --key "$COPY/ed.pub.pem"
	expect_status 0 glovebox reproduce "$COPY/out" --key "$COPY/ed.pub.pem"
	expect_status 4 glovebox verify "$COPY/out" --key "$COPY/ec.pub.pem"
	expect_status 4 glovebox verify "$WORK/out" --key "$COPY/ed.pub.pem"
	expect_status 0 tests/e2e/judges/verify-with-openssl.sh "$bundle" "$COPY/ed.pub.pem"
	expect_status 0 node "${O:-build}/judges/verify-bundle.mjs" "$bundle" "$COPY/ed.pub.pem"
	# Under the name of another key it is refused by all three.
	glovebox key generate "$COPY/other" --type ed25519
	sed "s#$(glovebox key show "$COPY/ed.pem" | sed -n 's/^id *//p')#$(glovebox key show "$COPY/other.pem" | sed -n 's/^id *//p')#g" \
		"$bundle" >"$COPY/renamed.json"
	expect_status 4 glovebox verify "$COPY/out" --key "$COPY/other.pub.pem" --bundle "$COPY/renamed.json"
	expect_status 1 tests/e2e/judges/verify-with-openssl.sh "$COPY/renamed.json" "$COPY/other.pub.pem"
	expect_status 1 node "${O:-build}/judges/verify-bundle.mjs" "$COPY/renamed.json" "$COPY/other.pub.pem"
}

@test "skopeo reads the image, under the digest that glovebox gave it" {
	is "$(skopeo --tmpdir "$WORK" inspect --format '{{.Digest}}' "oci-archive:$COPY/image.tar")" "$(cat "$COPY/image.digest")"
	skopeo --tmpdir "$WORK" inspect --config "oci-archive:$COPY/image.tar" | jq -e '.config.Entrypoint == ["/src/bin/busybox", "echo", "hello"]'
}

@test "umoci unpacks the image, and the program in it runs" {
	mkdir "$COPY/layout"
	tar -C "$COPY/layout" -xf "$COPY/image.tar"
	rootless=()
	[ "$(id -u)" = 0 ] || rootless=(--rootless)
	umoci unpack "${rootless[@]}" --image "$COPY/layout:latest" "$COPY/bundle"
	run unshare --user --map-root-user chroot "$COPY/bundle/rootfs" /src/bin/busybox echo hello
	is "$status $output" "0 hello"
}

@test "reproduce builds the same image again" {
	expect_status 0 glovebox reproduce "$COPY" --key "$WORK/key.pub.pem"
	expect_output "reproduced: identical"
	expect_status 4 glovebox reproduce "$COPY" --key "$WORK/other.pub.pem"
	expect_status 2 glovebox reproduce "$COPY"
}

@test "reproduce needs neither spec nor sources, only the store" {
	rm -rf "$WORK/moved"
	mv "$WORK/spec" "$WORK/moved"
	expect_status 0 glovebox reproduce "$COPY" --key "$WORK/key.pub.pem"
	mv "$WORK/moved" "$WORK/spec"
	expect_status 6 glovebox reproduce "$COPY" --key "$WORK/key.pub.pem" --store "$WORK/empty-store"
}

@test "a build that is not reproducible is told as such, with 4" {
	new_spec "$WORK/random" "head -c 16 /dev/urandom | od > made"
	glovebox run "$WORK/random/build.yaml" --out "$COPY/random" --key "$WORK/key.pem"
	expect_status 0 verify "$COPY/random"
	expect_status 4 glovebox reproduce "$COPY/random" --key "$WORK/key.pub.pem" --keep "$COPY/kept"
	expect_output "not reproduced"
	expect_output "src/made"
	[ -s "$COPY/kept/image.tar" ]
}

@test "what makes a build differ is named by reproduce" {
	# shellcheck disable=SC2016  # the step expands it
	new_spec "$WORK/drawn" 'echo "id: $(cat /proc/sys/kernel/random/uuid)" > made'
	glovebox run "$WORK/drawn/build.yaml" --out "$COPY/drawn" --key "$WORK/key.pem"
	expect_status 4 glovebox reproduce "$COPY/drawn" --key "$WORK/key.pub.pem"
	expect_output "likely cause: random seed"
	expect_status 4 glovebox reproduce "$COPY/drawn" --key "$WORK/key.pub.pem" --json
	expect_output '"cause": "random seed"'
	# Without the image the manifests still tell in which file.
	rm "$COPY/drawn/image.tar"
	expect_status 4 glovebox reproduce "$COPY/drawn" --key "$WORK/key.pub.pem"
	expect_output "the build left another tree"
	expect_output "'made' differs"
	sed -i 's/mode=0755/mode=0644/' "$COPY/drawn/trees/output.mtree"
	expect_status 4 glovebox reproduce "$COPY/drawn" --key "$WORK/key.pub.pem"
	expect_output "'trees/output.mtree' is not the manifest"
	[[ $output != *"build again"* ]]
	rm -r "$COPY/drawn/trees"
	expect_status 4 glovebox reproduce "$COPY/drawn" --key "$WORK/key.pub.pem"
	expect_output "only digests could be compared"
}

@test "manifests of the trees lie beside the image, and are those of the trees" {
	jq -r '.predicate | [.runDetails.byproducts[] | select(.name | startswith("trees/"))][] | "\(.digest.sha256)  \(.name) \(.mediaType)"' \
		"$COPY/provenance.json" >"$WORK/named"
	is "$(cut -d' ' -f3- "$WORK/named")" "$(printf '%s application/vnd.glovebox.tree.v1\n' trees/rootfs.mtree trees/source-src.mtree trees/output.mtree)"
	(cd "$COPY" && cut -d' ' -f1-3 "$WORK/named" | sha256sum -c --quiet)
	is "sha256:$(sha256sum <"$COPY/trees/output.mtree" | cut -d' ' -f1)" \
		"$(jq -r .predicate.buildDefinition.internalParameters.outputTree "$COPY/provenance.json")"
	is "sha256:$(sha256sum <"$COPY/trees/rootfs.mtree" | cut -d' ' -f1)" "${ROOTFS#*@}"
	# Others read them: mtree compares one with the files that are in the image.
	mkdir "$COPY/layout" "$COPY/files"
	tar -xf "$COPY/image.tar" -C "$COPY/layout"
	layer=$(jq -r '.manifests[0].digest[7:]' "$COPY/layout/index.json")
	layer=$(jq -r '.layers[0].digest[7:]' "$COPY/layout/blobs/sha256/$layer")
	tar -xf "$COPY/layout/blobs/sha256/$layer" -C "$COPY/files"
	is "$(mtree -p "$COPY/files/src" -f "$COPY/trees/output.mtree" -k type,size,sha256,link)" ""
	expect_status 0 verify "$COPY"
}

@test "a test result that lies beside an image whose run had no tests is refused" {
	echo '{"predicate": {"result": "PASSED"}}' >"$COPY/test-result.json"
	expect_status 4 verify "$COPY"
	expect_output "test-result.json' lies there, and the provenance names no such test result"
	rm "$COPY/test-result.json"
	expect_status 0 verify "$COPY"
}

@test "a manifest or statement beside the image that is another is refused; one that was taken away misleads nobody" {
	flip "$COPY/trees/output.mtree" 20
	expect_status 4 verify "$COPY"
	expect_output "is not the manifest that the provenance names"
	rm -r "$COPY/trees"
	expect_status 0 verify "$COPY"
	sed -i 's/build.yaml/built.yaml/' "$COPY/provenance.json"
	expect_status 4 verify "$COPY"
	expect_output "is not the statement that the provenance names"
	# Of another run's bundle nothing is said.
	expect_status 0 verify "$COPY" --bundle "$COPY/provenance.sigstore.json"
	rm "$COPY/provenance.json"
	expect_status 0 verify "$COPY"
}
