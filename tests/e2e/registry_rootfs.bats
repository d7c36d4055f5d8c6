#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016  # jq's own $
# Images of a registry, pinned by digest, as root filesystem and as base.
load lib
load registry

setup_file()
{
	begin_registries
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

@test "evidence of builds on images of a registry is whole without it" {
	glovebox rootfs import tiny "$WORK/rootfs"
	for kind in rootfs base; do
		case $kind in
		rootfs) ROOTFS=oci:$REGISTRY/base/tiny@$INDEX spec "$DIR/$kind" ;;
		base) BASE=oci:$REGISTRY/base/tiny@$INDEX spec "$DIR/$kind" ;;
		esac
		expect_status 0 glovebox run "$DIR/$kind/build.yaml" --out "$DIR/$kind-out" --key "$WORK/key.pem" --evidence "$DIR/$kind.evidence"
		expect_status 0 glovebox verify "$DIR/$kind.evidence" --key "$WORK/key.pub.pem" --deep
		expect_status 0 glovebox reproduce "$DIR/$kind.evidence" --key "$WORK/key.pub.pem" --store "$DIR/empty-$kind"
		expect_output "reproduced: identical"
	done
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

# put_blob FILE: into the fake one; prints the digest.
put_blob()
{
	local d
	d=sha256:$(sha256sum <"$1" | cut -d ' ' -f 1)
	curl -sf -X POST -D - -o "$DIR/ignored" "http://$FAKE/v2/a/b/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p' >"$DIR/at"
	curl -sf -X PUT --data-binary @"$1" -o "$DIR/ignored" "http://$FAKE$(cat "$DIR/at")?digest=$d"
	echo "$d"
}
# put_manifest FILE [TYPE]: likewise.
put_manifest()
{
	curl -sf -X PUT -H "Content-Type: ${2:-application/vnd.oci.image.manifest.v1+json}" --data-binary @"$1" -o "$DIR/ignored" \
		"http://$FAKE/v2/a/b/manifests/any"
	echo "sha256:$(sha256sum <"$1" | cut -d ' ' -f 1)"
}
# nothing_kept: no name, no tree, no memory, no file is left.
nothing_kept()
{
	is "$(glovebox rootfs list)" ""
	[ ! -e "$GLOVEBOX_STORE/derived" ]
	is "$(ls "$GLOVEBOX_STORE/trees")" ""
	is "$(find "$GLOVEBOX_STORE/tmp" -type f)" ""
}

@test "a registry that never ends, or never lets in, is left" {
	for what in manifests/sha256 blobs/sha256; do
		fake "{\"endless\": \"$what\"}"
		fill_fake
		expect_status 6 timeout 300 "$GLOVEBOX" rootfs import x "oci:$FAKE/a/b@$IMAGE"
		nothing_kept
		end_fake
		rm "$DIR/ports"
	done
	fake '{"deny": true, "auth": "token"}'
	jq -n --arg h "$FAKE" '{auths: {($h): {auth: ("ann:geheim" | @base64)}}}' >"$HOME/.docker/config.json"
	: >"$DIR/log"
	expect_status 6 timeout 300 "$GLOVEBOX" rootfs import x "oci:$FAKE/a/b@$IMAGE"
	rm "$HOME/.docker/config.json"
	is "$(asked 'length <= 4')" true
	is "$(asked 'map(select(.server == "registry" and .authorization == "Basic YW5uOmdlaGVpbQ==")) | length')" 0
	nothing_kept
}

@test "documents that lie about an image are refused, before anything large is fetched" {
	fake '{}'
	fill_fake
	curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$FAKE/v2/a/b/manifests/$IMAGE" >"$DIR/good.json"
	big=$(jq '[range(20)] | map({mediaType: "application/vnd.oci.image.layer.v1.tar", digest: ("sha256:" + ("0" * 63) + "\(. % 10)"), size: 8000000000})' <<<null)
	n=0
	while IFS=$'\t' read -r -u 9 filter why; do
		jq -cj --argjson big "$big" "$filter" "$DIR/good.json" >"$DIR/bad.json"
		pin=$(put_manifest "$DIR/bad.json")
		: >"$DIR/log"
		expect_status 6 timeout 300 "$GLOVEBOX" rootfs import x "oci:$FAKE/a/b@$pin" || { echo "$filter" >&2; return 1; }
		expect_output "$why"
		nothing_kept
		n=$((n + 1))
	done 9<<'END'
.layers = $big	more than
.layers[0].size = -1	size
.layers[0].size += 1	bytes
.layers[0].size = 1e30	size
.layers[0].digest = "sha512:" + ("0" * 128)	sha256
.layers[0].digest = "sha256:../../../../etc/passwd"	sha256
.layers = null	no list
.config = null	config
.config.size = 100000000	config
.mediaType = "text/plain"	text/plain
.layers += .layers	diff ID
[range(300)] | reduce .[] as $i (1; [.])	
[.]	no JSON object
.config = .layers[0]	
END
	is "$n" 14
	printf '{"schemaVersion":2,"schemaVersion":2}' >"$DIR/twice.json"
	expect_status 6 glovebox rootfs import x "oci:$FAKE/a/b@$(put_manifest "$DIR/twice.json")"
	expect_output duplicate
	# An index whose image for this machine is an index, and one whose image is for another.
	arch=$(tar -xOf "$WORK/tiny.tar" index.json | jq -r '.manifests[0].platform.architecture')
	index() { jq -cnj --arg d "$1" --arg a "$2" --arg t "$3" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
		manifests: [{mediaType: $t, digest: $d, size: 500, platform: {os: "linux", architecture: $a}}]}' >"$DIR/$4"; }
	T=application/vnd.oci.image.index.v1+json
	index "$IMAGE" "$arch" application/vnd.oci.image.manifest.v1+json one.json
	index "$(put_manifest "$DIR/one.json" $T)" "$arch" $T two.json
	expect_status 6 glovebox rootfs import x "oci:$FAKE/a/b@$(put_manifest "$DIR/two.json" $T)"
	expect_output "no image that glovebox reads"
	index "$IMAGE" s390x application/vnd.oci.image.manifest.v1+json other.json
	pin=$(put_manifest "$DIR/other.json" $T)
	expect_status 6 glovebox rootfs import x "oci:$FAKE/a/b@$pin"
	expect_status 6 glovebox rootfs import x "oci:$FAKE/a/b@$pin" --platform linux/s390x
	nothing_kept
}

@test "a layer that is not what the config says leaves no tree and no memory" {
	fake '{}'
	fill_fake
	curl -sf "http://$FAKE/v2/a/b/manifests/$IMAGE" >"$DIR/good.json"
	mkdir "$DIR/evil"
	echo evil >"$DIR/evil/file"
	tar -C "$DIR/evil" -cf "$DIR/evil.tar" .
	layer=$(put_blob "$DIR/evil.tar")
	jq -cj --arg d "$layer" --argjson n "$(stat -c %s "$DIR/evil.tar")" '.layers[0].digest = $d | .layers[0].size = $n |
		.layers[0].mediaType = "application/vnd.oci.image.layer.v1.tar"' "$DIR/good.json" >"$DIR/bad.json"
	pin=$(put_manifest "$DIR/bad.json")
	expect_status 6 glovebox rootfs import x "oci:$FAKE/a/b@$pin"
	expect_output "diff ID"
	nothing_kept
	# As a base it gets as far as the store's blobs, which are what they are called, and no further.
	glovebox rootfs import tiny "$WORK/rootfs"
	BASE=oci:$FAKE/a/b@$pin spec "$DIR/spec"
	expect_status 6 glovebox run "$DIR/spec/build.yaml" --out "$DIR/out"
	[ ! -e "$DIR/out/image.tar" ]
}

@test "two at once, and one that is killed, leave a whole store" {
	glovebox rootfs import a "oci:$REGISTRY/base/tiny@$IMAGE" >"$DIR/a" &
	first=$!
	glovebox rootfs import b "oci:$REGISTRY/base/tiny@$IMAGE" >"$DIR/b"
	wait $first
	is "$(cat "$DIR/a" "$DIR/b")" "$TINY
$TINY"
	rm -r "$GLOVEBOX_STORE"
	fake '{"endless": "blobs/sha256"}'
	fill_fake
	timeout -s KILL 0.5 "$GLOVEBOX" rootfs import c "oci:$FAKE/a/b@$IMAGE" || true
	expect_status 0 glovebox rootfs import c "oci:$REGISTRY/base/tiny@$IMAGE"
	[ -z "$(ls -A "$GLOVEBOX_STORE/tmp")" ]
}
