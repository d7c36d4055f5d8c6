#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Evidence of every version that was: it stays readable, verifiable and reproducible. Each file was made once, by that version, of a static program
# of 344 bytes in a root filesystem of its own; who signed it has thrown the key away.
load ../e2e/lib

setup_file()
{
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-golden.XXXXXX")
	chmod 755 "$WORK"
	export WORK GLOVEBOX_STORE=$WORK/store
	cp tests/golden/evidence-*.tar "$WORK"
	mkdir "$WORK/layout"
	tar -xf "$WORK/evidence-0.1.0.tar" -C "$WORK/layout"
	MANIFEST=$WORK/layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$WORK/layout/index.json")
	export MANIFEST
}
teardown_file() { end_file; }

# blob TITLE: the file of that layer.
blob()
{
	echo "$WORK/layout/blobs/sha256/$(jq -r --arg t "$1" '.layers[] | select(.annotations["org.opencontainers.image.title"] == $t) | .digest[7:]' "$MANIFEST")"
}

@test "0.1.0: verifies, with its tests, as the image that it was" {
	expect_status 0 glovebox verify "$WORK/evidence-0.1.0.tar" --key tests/golden/evidence-0.1.0.pub.pem --deep --require test-result --json
	is "$(jq -r .image <<<"$output")" sha256:c1a3c79adc6fa544f55dc65ea513d6860a0e51e8ad6254c3bbab21e0d6d74f43
}

@test "0.1.0: has what evidence has, under the same names" {
	is "$(jq -r '.layers[] | "\(.annotations["org.opencontainers.image.title"]) \(.mediaType)"' "$MANIFEST")" \
"provenance.sigstore.json application/vnd.dev.sigstore.bundle.v0.3+json
test-result.sigstore.json application/vnd.dev.sigstore.bundle.v0.3+json
spec application/yaml
profile application/yaml
rootfs application/vnd.oci.image.layer.v1.tar
source/src application/vnd.oci.image.layer.v1.tar"
}

@test "0.1.0: what this version writes has the same form" {
	is "$(uname -m)" x86_64
	mkdir -p "$WORK/rootfs" "$WORK/spec/src"
	tar -xf "$(blob rootfs)" -C "$WORK/rootfs"
	tar -xf "$(blob source/src)" -C "$WORK/spec/src"
	cp "$(blob spec)" "$WORK/spec/build.yaml"
	cp "$(blob profile)" "$WORK/spec/profile.yaml"
	glovebox rootfs import golden "$WORK/rootfs"
	new_key "$WORK/key"
	glovebox run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem" --evidence "$WORK/now.tar"
	is "$(cat "$WORK/out/image.digest")" sha256:c1a3c79adc6fa544f55dc65ea513d6860a0e51e8ad6254c3bbab21e0d6d74f43
	mkdir "$WORK/now"
	tar -xf "$WORK/now.tar" -C "$WORK/now"
	# All but the attestations, which have times, and the manifest that names them, is there byte for byte.
	for blob in "$WORK"/layout/blobs/sha256/*; do
		grep -q -e sigstore "$blob" || cmp "$blob" "$WORK/now/blobs/sha256/${blob##*/}"
	done
}

@test "0.1.0: builds again, from nothing else, in an empty store" {
	GLOVEBOX_STORE=$WORK/empty expect_status 0 glovebox reproduce "$WORK/evidence-0.1.0.tar" --key tests/golden/evidence-0.1.0.pub.pem
	expect_output identical
}
