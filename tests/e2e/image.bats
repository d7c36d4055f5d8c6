#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images of a run: layers, what lies below them, compression, configuration; judged by skopeo and umoci.
load lib

setup_file()
{
	begin_file
	foreign_image "$WORK/base"
	export BASE_DIGEST
	BASE_DIGEST=$(jq -r '.manifests[0].digest' "$WORK/base/index.json")
	skopeo copy -q "oci:$WORK/base:v1" "oci-archive:$WORK/base.tar"
	chmod -R go+rX "$WORK/base" "$WORK/base.tar"
	new_key "$WORK/key"
}
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	OUT=$DIR/out
	mkdir -p "$DIR"
}

# foreign_image DIR: an image layout made by umoci: two layers with a setuid program, a link and a whiteout, and a config.
foreign_image()
{
	local files=$WORK/foreign
	mkdir -p "$files/usr/bin" "$files/etc" "$files/old"
	cp "$(command -v busybox)" "$files/usr/bin/busybox"
	chmod 4755 "$files/usr/bin/busybox"
	ln -s busybox "$files/usr/bin/sh"
	ln -s usr/bin "$files/bin"
	echo theirs >"$files/etc/name"
	umoci init --layout "$1"
	umoci new --image "$1:v1"
	umoci insert --rootless --image "$1:v1" "$files" /
	umoci insert --rootless --image "$1:v1" --whiteout /old
	umoci config --image "$1:v1" --architecture "$(skopeo inspect --raw --config "oci:$1:v1" | jq -r .architecture)" \
		--config.env PATH=/bin --config.env KEEP=theirs --config.cmd /bin/sh --config.label a=theirs --config.user 7:8 \
		--config.exposedports 22/tcp
	umoci gc --layout "$1"
}

# artifact_spec DIR ARTIFACT...: a spec whose artifact has these lines.
artifact_spec()
{
	local dir=$1 line
	shift
	new_spec "$dir"
	sed -i '/^    artifact:/,$d' "$dir/build.yaml"
	{
		echo '    artifact:'
		echo '      imageName: e2e/made'
		for line; do
			printf '      %s\n' "$line"
		done
	} >>"$dir/build.yaml"
}

config() { skopeo inspect --config --raw "oci-archive:$1"; }
manifest() { skopeo inspect --raw "oci-archive:$1"; }

# unpacked IMAGE.tar DIR: by umoci.
unpacked()
{
	skopeo copy -q "oci-archive:$1" "oci:$2.layout:x"
	umoci unpack --rootless --image "$2.layout:x" "$2"
}

check_and_reproduce()
{
	glovebox verify "$OUT" --key "$WORK/key.pub.pem" --deep
	run glovebox reproduce "$OUT" --key "$WORK/key.pub.pem"
	is "$status" 0
	expect_output "reproduced: identical"
}

@test "inspect sees an image on another tool's base as umoci unpacks it" {
	glovebox image pack "$WORK/foreign/etc" -o "$DIR/i.tar" --to /etc --base "oci:$WORK/base@$BASE_DIGEST"
	glovebox image inspect "$DIR/i.tar" --json >"$DIR/json"
	unpacked "$DIR/i.tar" "$DIR/is"
	is "$(jq -c '.total | [.files, .directories, .links, .unpackedBytes]' "$DIR/json")" "$(cd "$DIR/is/rootfs" && jq -cn '$ARGS.positional | map(tonumber)' \
		--args "$(find . -type f | wc -l)" "$(find . -mindepth 1 -type d | wc -l)" "$(find . -type l | wc -l)" \
		"$(find . -type f -printf '%s\n' | jq -s add)")"
	is "$(jq -c '[.layers[].contents.whiteouts]' "$DIR/json")" '[0,1,0]'
	is "$(jq -r '.setuid[] | .path + " " + .mode' "$DIR/json")" "usr/bin/busybox 4755"
	is "$(jq -c '[.findings[].id]' "$DIR/json" | grep -o setuid)" setuid
}

@test "layers go where the spec says, in its order, with its owners and modes" {
	artifact_spec "$DIR" 'base: scratch' 'layers:' \
		'  - { from: src, to: /usr/share/in }' \
		'  - { from: "build:src", to: /app, uid: 7, gid: 8, mode: "0640" }'
	glovebox run "$DIR/build.yaml" --key "$WORK/key.pem"
	check_and_reproduce
	is "$(manifest "$OUT/image.tar" | jq '.layers | length')" 2
	mkdir "$DIR/image"
	tar -C "$DIR/image" -xf "$OUT/image.tar"
	first=$(manifest "$OUT/image.tar" | jq -r '.layers[0].digest' | tr : /)
	second=$(manifest "$OUT/image.tar" | jq -r '.layers[1].digest' | tr : /)
	is "$(tar --numeric-owner -tvzf "$DIR/image/blobs/$first" | awk '{ print $1, $2, $6 }')" 'drwxr-xr-x 0/0 usr/
drwxr-xr-x 0/0 usr/share/
drwxr-xr-x 0/0 usr/share/in/
-rw-r--r-- 0/0 usr/share/in/build.yaml
-rw-r--r-- 0/0 usr/share/in/input.txt'
	is "$(tar --numeric-owner -tvzf "$DIR/image/blobs/$second" | awk '{ print $1, $2, $6 }')" 'drwxr-x--- 7/8 app/
-rw-r----- 7/8 app/build.yaml
-rw-r----- 7/8 app/input.txt
drwxr-x--- 7/8 app/made/
lrwxrwxrwx 7/8 app/made/link
-rw-r----- 7/8 app/made/twice'
	jq -e '.predicate.buildDefinition.internalParameters.layers == [
		{ from: "src", to: "/usr/share/in", tree: .predicate.buildDefinition.internalParameters.layers[0].tree },
		{ from: "build:src", to: "/app", tree: .predicate.buildDefinition.internalParameters.outputTree }]' "$OUT/provenance.json"
}

@test "zstd, gzip and none hold the same content, and say how they were made" {
	for how in gzip zstd none; do
		artifact_spec "$DIR/$how" 'base: scratch' "compression: $how" 'layers:' '  - { from: "build:src", to: /app }'
		sed -i '/^  build:/i\  sources: [{ name: src, path: ., exclude: [build.yaml, out] }]' "$DIR/$how/build.yaml"
		OUT=$DIR/$how/out
		glovebox run "$DIR/$how/build.yaml" --key "$WORK/key.pem"
		check_and_reproduce
		config "$OUT/image.tar" >"$DIR/$how.config"
		cmp "$DIR/gzip.config" "$DIR/$how.config"
	done
	is "$(manifest "$DIR/gzip/out/image.tar" | jq -r '.layers[].mediaType')" application/vnd.oci.image.layer.v1.tar+gzip
	is "$(manifest "$DIR/zstd/out/image.tar" | jq -r '.layers[].mediaType')" application/vnd.oci.image.layer.v1.tar+zstd
	is "$(manifest "$DIR/none/out/image.tar" | jq -r '.layers[].mediaType')" application/vnd.oci.image.layer.v1.tar
	is "$(jq -r .predicate.buildDefinition.internalParameters.codec "$DIR/none/out/provenance.json")" none
	[[ $(jq -r .predicate.buildDefinition.internalParameters.codec "$DIR/zstd/out/provenance.json") =~ ^zstd\;libzstd=[0-9.]+\;level=3\;frame=4194304$ ]]
	mkdir "$DIR/image"
	tar -C "$DIR/image" -xf "$DIR/zstd/out/image.tar"
	layer=$(manifest "$DIR/zstd/out/image.tar" | jq -r '.layers[0].digest' | tr : /)
	is "$(zstd -dcq <"$DIR/image/blobs/$layer" | tar -xO app/made/twice)" $'content\ncontent'
}

@test "the same bytes from one processor and from two, from two places, for each compression" {
	for how in zstd none; do
		artifact_spec "$DIR/$how" "compression: $how"
		glovebox run "$DIR/$how/build.yaml" --out "$DIR/$how-out"
		mv "$DIR/$how" "$DIR/$how-elsewhere"
		taskset -c 0 "$GLOVEBOX" run "$DIR/$how-elsewhere/build.yaml" --out "$DIR/$how-one"
		cmp "$DIR/$how-out/image.tar" "$DIR/$how-one/image.tar"
	done
}

@test "the image's whole configuration" {
	artifact_spec "$DIR" 'base: scratch' 'config:' '  entrypoint: [/app/run]' '  cmd: [--serve]' '  env: { A: b }' '  user: "7:8"' \
		'  workingDir: /app' '  labels: { k: v }' '  exposedPorts: ["80/tcp", "53/udp"]' '  volumes: [/data]' \
		'  stopSignal: SIGINT' '  author: The Makers' \
		'  healthcheck: { command: "test -e /app", interval: 30s, timeout: 500ms, startPeriod: 1m, retries: 3 }'
	glovebox run "$DIR/build.yaml" --key "$WORK/key.pem"
	check_and_reproduce
	config "$OUT/image.tar" | jq -e '.author == "The Makers" and .created == "1980-01-01T00:00:00Z" and .config == {
		Entrypoint: ["/app/run"], Cmd: ["--serve"], Env: ["A=b"], User: "7:8", WorkingDir: "/app", Labels: { k: "v" },
		ExposedPorts: { "80/tcp": {}, "53/udp": {} }, Volumes: { "/data": {} }, StopSignal: "SIGINT",
		Healthcheck: { Test: ["CMD-SHELL", "test -e /app"], Interval: 30000000000, Timeout: 500000000, StartPeriod: 60000000000, Retries: 3 } }'
}

@test "an OCI image as base: its layers byte for byte, its config and history continued" {
	for from in ../base ../base.tar; do
		rm -rf "$DIR/spec"
		artifact_spec "$DIR/spec" "base: oci:$WORK/${from#../}@$BASE_DIGEST" 'compression: zstd' 'layers:' \
			'  - { from: "build:src", to: /app }' 'config: { env: { PATH: /app, NEW: ours }, labels: { b: ours } }'
		OUT=$DIR/spec/out
		glovebox run "$DIR/spec/build.yaml" --key "$WORK/key.pem"
		check_and_reproduce
		base=$(skopeo inspect --raw "oci:$WORK/base:v1" | jq -c '.layers | map(.digest)')
		is "$(manifest "$OUT/image.tar" | jq -c '.layers[:-1] | map(.digest)')" "$base"
		is "$(skopeo inspect --raw --config "oci:$WORK/base:v1" | jq -S .history)" "$(config "$OUT/image.tar" | jq -S '.history[:-1]')"
		config "$OUT/image.tar" | jq -e '.config == { Env: ["PATH=/app", "KEEP=theirs", "NEW=ours"], Cmd: ["/bin/sh"], User: "7:8",
			Labels: { a: "theirs", b: "ours" }, ExposedPorts: { "22/tcp": {} } }'
		jq -e --arg d "${BASE_DIGEST#sha256:}" '.predicate.buildDefinition.resolvedDependencies[-1]
			| .name == "base" and .digest.sha256 == $d' "$OUT/provenance.json"
	done
	# The pinned digest is that of the text in the statement: with jq and sha256sum anybody can follow it to the layers.
	is "$(jq -j '.predicate.buildDefinition.internalParameters.base.manifest' "$OUT/provenance.json" | sha256sum)" \
		"${BASE_DIGEST#sha256:}  -"
}

@test "an image on a base is unpacked by umoci to what its layers say" {
	artifact_spec "$DIR" "base: oci:$WORK/base@$BASE_DIGEST" 'layers:' '  - { from: "build:src", to: /srv/app }'
	glovebox run "$DIR/build.yaml"
	unpacked "$OUT/image.tar" "$DIR/bundle"
	is "$(cat "$DIR/bundle/rootfs/srv/app/made/link")" $'content\ncontent'
	is "$(cat "$DIR/bundle/rootfs/etc/name")" theirs
	is "$(stat -c %a "$DIR/bundle/rootfs/usr/bin/busybox")" 4755
	[ ! -e "$DIR/bundle/rootfs/old" ]
	# umoci's own manifest of what it unpacked, checked by NetBSD's mtree.
	is "$(mtree -p "$DIR/bundle/rootfs" -k type,link,size,mode -f "$DIR"/bundle/sha256_*.mtree)" ""
}

@test "a base that is not what its digest says, not there, or known by its digest" {
	cp -r "$WORK/base" "$DIR/base"
	artifact_spec "$DIR" "base: oci:./base@$BASE_DIGEST"
	echo 'base/' >"$DIR/.gitignore"
	expect_status 0 glovebox run "$DIR/build.yaml"
	layer=$(skopeo inspect --raw "oci:$WORK/base:v1" | jq -r '.layers[0].digest' | tr : /)
	printf x | dd of="$DIR/base/blobs/$layer" bs=1 seek=100 conv=notrunc status=none
	expect_status 6 glovebox run "$DIR/build.yaml"
	expect_output "build.yaml:12:13: base 'oci:./base@"
	expect_output "another digest"
	rm -rf "$DIR/base"
	expect_status 6 glovebox run "$DIR/build.yaml"
	sed -i "s,oci:./base@,oci:../base@," "$DIR/build.yaml"
	expect_status 2 glovebox run "$DIR/build.yaml"
	expect_output "leads out of the spec's directory"
	sed -i "s,oci:../base@,oci:registry.example.com/base@," "$DIR/build.yaml"
	# By its digest it is known here, wherever it may be besides.
	expect_status 0 glovebox run "$DIR/build.yaml"
	sed -i "s,registry.example.com/base@.*,registry.example.com/base@sha256:$(printf '%064d' 0)," "$DIR/build.yaml"
	expect_status 6 glovebox run "$DIR/build.yaml" --registry-map registry.example.com=http://127.0.0.1:9 --insecure-registry 127.0.0.1:9
	expect_output "base 'oci:registry.example.com/base@sha256:0000"
}

@test "a layer that would hide what a link of the base leads to is refused" {
	artifact_spec "$DIR" "base: oci:$WORK/base@$BASE_DIGEST" 'layers:' '  - { from: "build:src", to: /bin/app }'
	expect_status 6 glovebox run "$DIR/build.yaml"
	expect_output "'bin': in the layers below it is a symbolic link"
	sed -i 's,to: /bin/app,to: /usr/bin/app,' "$DIR/build.yaml"
	expect_status 0 glovebox run "$DIR/build.yaml"
}

@test "a base that the statement does not pin is not believed" {
	artifact_spec "$DIR" "base: oci:$WORK/base@$BASE_DIGEST"
	glovebox run "$DIR/build.yaml"
	# The statement says nothing of a base: its setuid file counts.
	jq -cS 'del(.predicate.buildDefinition.internalParameters.base)' "$OUT/provenance.json" | tr -d '\n' >"$DIR/p"
	mv "$DIR/p" "$OUT/provenance.json"
	expect_status 4 glovebox reproduce "$OUT" --unverified
	expect_output "setuid"
	# It says that another image is the base.
	glovebox run "$DIR/build.yaml"
	jq -cS '.predicate.buildDefinition.internalParameters.base.manifest += " "' "$OUT/provenance.json" | tr -d '\n' >"$DIR/p"
	mv "$DIR/p" "$OUT/provenance.json"
	expect_status 4 glovebox reproduce "$OUT" --unverified
	expect_output "no resolved dependency 'base'"
}
