#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016  # jq's own $
# Images of a registry, pinned by digest, as root filesystem and as base.
load lib
load registry

setup_file()
{
	begin_file
	export HOME=$WORK/home
	unset DOCKER_CONFIG REGISTRY_AUTH_FILE http_proxy https_proxy no_proxy
	mkdir -p "$HOME/.docker"
	new_key "$WORK/key"
	start_registry
	glovebox rootfs export tiny -o "$WORK/tiny.tar" --format oci
	glovebox image push "$WORK/tiny.tar" "$REGISTRY/base/tiny:1" >"$WORK/pushed"
	export TINY=${ROOTFS#tiny@}
	IMAGE=$(sed -n 's/^image .*@//p' "$WORK/pushed")
	export IMAGE
	# An index that names it, for this machine.
	tar -xOf "$WORK/tiny.tar" index.json | jq -cj '{schemaVersion, mediaType: "application/vnd.oci.image.index.v1+json", manifests}' \
		>"$WORK/index.json"
	curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @"$WORK/index.json" \
		"http://$REGISTRY/v2/base/tiny/manifests/all"
	INDEX=sha256:$(sha256sum <"$WORK/index.json" | cut -d ' ' -f 1)
	export INDEX
}
teardown_file()
{
	end_registry
	end_file
}

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	mkdir -p "$DIR"
	# A store of its own, which has never seen it.
	export GLOVEBOX_STORE=$DIR/store
}
teardown()
{
	end_fake
}

# spec DIR: one on $ROOTFS with base $BASE.
spec()
{
	new_spec "$1"
	sed -i "s#base: scratch#base: ${BASE:-scratch}#" "$1/build.yaml"
}
# nowhere: options with which the registry is out of reach.
nowhere() { echo "--registry-map=$REGISTRY=127.0.0.1:1"; }

@test "a pinned image is imported as the tree that its files are, once" {
	expect_status 0 glovebox rootfs import again "oci:$REGISTRY/base/tiny@$IMAGE"
	is "$output" "$TINY"
	# From now on nobody is asked.
	expect_status 0 glovebox rootfs import more "oci:$REGISTRY/base/tiny@$IMAGE" "$(nowhere)"
	is "$output" "$TINY"
	is "$(glovebox rootfs list)" "again@$TINY
more@$TINY"
	is "$(glovebox exec --rootfs "oci:$REGISTRY/base/tiny@$IMAGE" -- /bin/echo here)" here
	# What is remembered can go: it is fetched again.
	rm -r "$GLOVEBOX_STORE/derived"
	expect_status 6 glovebox rootfs import gone "oci:$REGISTRY/base/tiny@$IMAGE" "$(nowhere)"
	expect_status 125 glovebox exec --rootfs "oci:$REGISTRY/base/tiny@$IMAGE" -- /bin/true
	expect_output "glovebox rootfs import NAME oci:"
	expect_status 0 glovebox rootfs import gone "oci:$REGISTRY/base/tiny@$IMAGE"
	is "$output" "$TINY"
	[ -z "$(ls -A "$GLOVEBOX_STORE/tmp")" ]
}

@test "an index is one image for each platform" {
	expect_status 0 glovebox rootfs import all "oci:$REGISTRY/base/tiny@$INDEX"
	is "$output" "$TINY"
	expect_status 6 glovebox rootfs import other "oci:$REGISTRY/base/tiny@$INDEX" --platform linux/s390x
	expect_output "none for linux/s390x"
	expect_status 2 glovebox rootfs import x "oci:$REGISTRY/base/tiny@$INDEX" --platform nonsense/
	expect_status 2 glovebox rootfs import x "oci:$REGISTRY/base/tiny@$INDEX" --ref 1
	is "$(glovebox rootfs list)" "all@$TINY"
}

@test "what is not pinned, or no reference, is refused by name" {
	expect_status 2 glovebox rootfs import x "oci:$REGISTRY/base/tiny:1"
	expect_output "oci:HOST/REPOSITORY@sha256"
	expect_status 125 glovebox exec --rootfs "oci:$REGISTRY/base/tiny:1" -- /bin/true
	expect_output "is not pinned"
	expect_status 6 glovebox rootfs import x "oci:$DIR/none"
	expect_status 6 glovebox rootfs import x "oci:$REGISTRY/base/none@$IMAGE"
	expect_output "the registry has no"
	expect_status 6 glovebox rootfs import x "oci:$REGISTRY/base/tiny@sha256:$(printf '%064d' 0)"
	expect_status 2 glovebox rootfs import x "oci:tiny@$IMAGE"
	expect_output "the registry's host first"
	is "$(glovebox rootfs list)" ""
}

@test "a spec names its root filesystem by the image; reproduced without the registry" {
	ROOTFS=oci:$REGISTRY/base/tiny@$INDEX spec "$DIR/spec"
	expect_status 6 glovebox run "$DIR/spec/build.yaml" --out "$DIR/out" "$(nowhere)"
	expect_output "spec.rootfs.ref"
	expect_status 0 glovebox run "$DIR/spec/build.yaml" --out "$DIR/out" --key "$WORK/key.pem"
	expect_status 0 glovebox run "$DIR/spec/build.yaml" --out "$DIR/out" --key "$WORK/key.pem" "$(nowhere)"
	expect_status 0 glovebox verify "$DIR/out" --key "$WORK/key.pub.pem"
	jq -e --arg tree "${TINY#sha256:}" --arg image "${IMAGE#sha256:}" --arg ref "oci:$REGISTRY/base/tiny@$INDEX" '
		.predicate.buildDefinition.resolvedDependencies |
		(map(select(.name == "rootfs")) == [{name: "rootfs", uri: ("glovebox:rootfs/" + $ref), digest: {sha256: $tree}}]) and
		(map(select(.name == "rootfs-image")) == [{name: "rootfs-image", uri: $ref, digest: {sha256: $image}}])' "$DIR/out/provenance.json"
	is "$(glovebox plan "$DIR/spec/build.yaml" "$(nowhere)" | jq -r .rootfs.image)" "$IMAGE"
	expect_status 0 glovebox reproduce "$DIR/out" --key "$WORK/key.pub.pem"
	rm -r "$GLOVEBOX_STORE/derived"
	expect_status 6 glovebox reproduce "$DIR/out" --key "$WORK/key.pub.pem"
	expect_output "glovebox rootfs import NAME oci:"
	expect_status 0 glovebox plan "$DIR/spec/build.yaml"
	expect_status 0 glovebox reproduce "$DIR/out" --key "$WORK/key.pub.pem"
}

@test "an image as base keeps its blobs byte for byte, and is not asked for twice" {
	glovebox rootfs import tiny "$WORK/rootfs"
	for pin in "$IMAGE" "$INDEX"; do
		BASE=oci:$REGISTRY/base/tiny@$pin spec "$DIR/spec"
		expect_status 0 glovebox run "$DIR/spec/build.yaml" --out "$DIR/out" --key "$WORK/key.pem"
		for blob in $(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/base/tiny@$IMAGE" | jq -r '.layers[].digest'); do
			is "sha256:$(tar -xOf "$DIR/out/image.tar" "blobs/sha256/${blob#sha256:}" | sha256sum | cut -d ' ' -f 1)" "$blob"
		done
		jq -e --arg image "${IMAGE#sha256:}" '.predicate.buildDefinition.resolvedDependencies |
			map(select(.name == "base").digest.sha256) == [$image]' "$DIR/out/provenance.json"
		expect_status 0 glovebox run "$DIR/spec/build.yaml" --out "$DIR/out" --key "$WORK/key.pem" "$(nowhere)"
		expect_status 0 glovebox reproduce "$DIR/out" --key "$WORK/key.pub.pem"
	done
	expect_status 0 glovebox image pack "$DIR/spec" -o "$DIR/packed.tar" --base "oci:$REGISTRY/base/tiny@$IMAGE" "$(nowhere)"
	is "$(tar -xOf "$DIR/packed.tar" index.json | jq '.manifests | length')" 1
}

@test "a lock pins what a tag means, and fetches it" {
	ROOTFS=node spec "$DIR/spec"
	expect_status 0 glovebox lock "$DIR/spec/build.yaml" --rootfs "oci:$REGISTRY/base/tiny:all"
	grep -F "rootfs: \"oci:$REGISTRY/base/tiny@$INDEX\"" "$DIR/spec/buildspec.lock"
	expect_status 0 glovebox run "$DIR/spec/build.yaml" --out "$DIR/out" "$(nowhere)"
	expect_status 6 glovebox lock "$DIR/spec/build.yaml" --rootfs "oci:$REGISTRY/base/tiny:none"
	expect_output "the registry has no 'none'"
}

# fill_fake: puts the image into the registry that misbehaves.
fill_fake() { glovebox image push "$WORK/tiny.tar" "$FAKE/a/b:v1" >/dev/null; }

@test "bytes that do not match are refused, and nothing is kept" {
	for what in manifests/sha256 blobs/sha256; do
		fake "{\"corrupt\": \"$what\"}"
		fill_fake
		expect_status 6 glovebox rootfs import x "oci:$FAKE/a/b@$IMAGE"
		expect_output sha256:
		is "$(glovebox rootfs list)" ""
		[ ! -e "$GLOVEBOX_STORE/derived" ]
		is "$(ls "$GLOVEBOX_STORE/trees")" ""
		is "$(find "$GLOVEBOX_STORE/objects" "$GLOVEBOX_STORE/tmp" -type f)" ""
		end_fake
		rm "$DIR/ports"
	done
}

@test "credentials of docker's file and of a helper are used, and given to nobody else" {
	fake '{"auth": "token", "redirect": true}'
	jq -n --arg h "$FAKE" '{auths: {($h): {auth: ("ann:geheim" | @base64)}}}' >"$HOME/.docker/config.json"
	fill_fake
	expect_status 0 glovebox rootfs import x "oci:$FAKE/a/b@$IMAGE"
	is "$output" "$TINY"
	is "$(asked 'map(select(.server == "elsewhere" and (.path | startswith("/token") | not) and .authorization != null)) | length')" 0
	is "$(asked 'map(select(.path | startswith("/data/"))) | length > 1')" true
	rm -r "$GLOVEBOX_STORE"
	mkdir "$DIR/bin"
	cat >"$DIR/bin/docker-credential-test" <<END
#!/bin/sh
id -u >"$DIR/asked"
echo '{"Username":"ann","Secret":"geheim"}'
END
	chmod +x "$DIR/bin/docker-credential-test"
	chmod 700 "$DIR/bin"
	jq -n --arg h "$FAKE" '{credHelpers: {($h): "test"}}' >"$HOME/.docker/config.json"
	chmod 600 "$HOME/.docker/config.json"
	PATH=$DIR/bin:$PATH expect_status 0 "$GLOVEBOX" rootfs import x "oci:$FAKE/a/b@$IMAGE"
	# Whoever called, not the step's user.
	is "$(cat "$DIR/asked")" "$(id -u)"
	rm "$HOME/.docker/config.json"
	rm -r "$GLOVEBOX_STORE"
	expect_status 6 glovebox rootfs import x "oci:$FAKE/a/b@$IMAGE"
}
