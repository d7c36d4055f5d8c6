#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The same files, from whatever they come, are the same tree; and they come out again as they went in. Tools that we did not write
# make the images, take them apart, and read what is exported.
load lib

setup_file()
{
	begin_file
	# Umoci maps ids by itself only when told that it has no rights.
	[ "$(id -u)" = 0 ] || ROOTLESS=--rootless
	export ROOTLESS=${ROOTLESS:-}
	cd "$WORK" || return
	make_files files
	tar -C files -cf files.tar --owner=0 --group=0 --numeric-owner .
	new_image layout:one files
	DIGEST=$(import dir:files)
	export DIGEST
}
teardown_file() { end_file; }

setup() { cd "$WORK" || return; }

teardown()
{
	[ -n "${PODMAN:-}" ] || return 0
	# Only in its own namespace may an ordinary user remove what it made there.
	[ "$(id -u)" = 0 ] || podman unshare rm -rf "$PODMAN/root" "$PODMAN/run"
	rm -rf "$PODMAN"
}

# make_files DIR: a few of each kind.
make_files()
{
	mkdir -p "$1/bin" "$1/etc/conf.d" "$1/usr/lib" "$1/tmp"
	echo tool >"$1/bin/tool"
	chmod 755 "$1/bin/tool"
	ln "$1/bin/tool" "$1/bin/same-tool"
	ln -s ../bin/tool "$1/usr/lib/link"
	echo conf >"$1/etc/conf.d/a file with spaces"
	: >"$1/etc/empty"
	chmod 640 "$1/etc/empty"
	chmod 700 "$1/usr/lib"
	chmod 1777 "$1/tmp"
	printf '%s' 'x' >"$1/etc/$(printf 'new\nline')"
}

# new_image LAYOUT:TAG DIR: one layer of the files in DIR, by umoci.
new_image()
{
	[ -d "${1%:*}" ] || umoci init --layout "${1%:*}"
	umoci new --image "$1"
	# shellcheck disable=SC2086
	umoci insert $ROOTLESS --image "$1" "$2" /
}

# copy FROM TO [OPTION...]: skopeo, with its files in our own directory.
copy()
{
	skopeo --insecure-policy --tmpdir "$WORK" copy -q "${@:3}" "$1" "$2"
}

# import SOURCE [OPTION...]: prints the digest.
import()
{
	glovebox rootfs import "same$((RANDOM % 3))" "$@"
}

# podman ARGUMENT...: with a store of its own, $PODMAN, whose path has to be short.
podman()
{
	env -u XDG_RUNTIME_DIR podman --root "$PODMAN/root" --runroot "$PODMAN/run" --tmpdir "$PODMAN/tmp" --storage-driver vfs \
		--log-level fatal "$@"
}

# unpacked IMAGE: unpacks it by umoci into the bundle "bundle", and prints what its files are as a directory.
unpacked()
{
	rm -rf "$WORK/bundle"
	# shellcheck disable=SC2086
	umoci unpack $ROOTLESS --image "$1" "$WORK/bundle"
	import "dir:$WORK/bundle/rootfs"
}

@test "a directory and its tar, in each codec, are the same" {
	is "$(glovebox rootfs import json files.tar --json | jq -r '.name + "@" + .digest')" "json@$DIGEST"
	is "$(import files.tar)" "$DIGEST"
	gzip -k files.tar
	bzip2 -k files.tar
	xz -k files.tar
	zstd -q files.tar
	for codec in gz bz2 xz zst; do
		is "$(import "files.tar.$codec")" "$DIGEST"
		is "$(import "tar:files.tar.$codec")" "$DIGEST"
	done
}

@test "an image that umoci made is the same, as layout and in a tar" {
	is "$(import layout)" "$DIGEST"
	is "$(import oci:layout --ref one)" "$DIGEST"
	tar -C layout -cf layout.tar .
	is "$(import layout.tar)" "$DIGEST"
	(cd layout && tar -czf ../layout.tgz oci-layout index.json blobs)
	is "$(import layout.tgz)" "$DIGEST"
	is "$(import oci-archive:layout.tgz)" "$DIGEST"
}

@test "what skopeo copies from form to form is the same in each" {
	copy oci:layout:one oci-archive:skopeo-oci.tar:one
	copy oci:layout:one docker-archive:skopeo-docker.tar:registry.example.com/one:1
	copy oci:layout:one dir:skopeo-dir
	copy docker-archive:skopeo-docker.tar oci:skopeo-back:one
	copy oci:layout:one oci:skopeo-zstd:one --dest-compress-format zstd
	copy oci:layout:one dir:skopeo-plain --dest-decompress
	for form in skopeo-oci.tar skopeo-docker.tar skopeo-dir skopeo-back skopeo-zstd skopeo-plain; do
		is "$(import "$form")" "$DIGEST"
	done
	is "$(import docker-archive:skopeo-docker.tar --ref registry.example.com/one:1)" "$DIGEST"
	grep -q '"application/vnd.oci.image.layer.v1.tar+zstd"' skopeo-zstd/blobs/sha256/*
	mkdir unpacked-docker
	tar -C unpacked-docker -xf skopeo-docker.tar
	is "$(import unpacked-docker)" "$DIGEST"
	is "$(import docker-archive:unpacked-docker)" "$DIGEST"
	gzip -k skopeo-docker.tar
	is "$(import skopeo-docker.tar.gz)" "$DIGEST"
	is "$(import docker-archive:skopeo-docker.tar.gz)" "$DIGEST"
}

@test "what podman saves is the same in each form" {
	PODMAN=$(mktemp -d /tmp/gb-podman.XXXXXX)
	copy oci:layout:one oci-archive:for-podman.tar:one
	podman load -q -i for-podman.tar
	for form in docker-archive oci-archive oci-dir docker-dir; do
		podman save -q --format "$form" -o "podman-$form" localhost/one:latest
		is "$(import "podman-$form")" "$DIGEST"
	done
}

@test "layers with whiteouts are what umoci unpacks" {
	make_files lower
	new_image many:base lower
	mkdir -p one/etc/conf.d one/usr/lib/deep/er two/etc two/opt three/bin
	echo 1 >one/etc/conf.d/new
	echo 1 >one/usr/lib/deep/er/file
	echo 2 >two/etc/conf.d # a file where a directory was
	echo 2 >two/opt/x
	ln two/opt/x two/opt/hard
	echo 3 >three/bin/only
	for layer in one two; do
		# shellcheck disable=SC2086
		umoci insert $ROOTLESS --image many:base "$layer" /
		is "$(import oci:many)" "$(unpacked many:base)"
	done
	# shellcheck disable=SC2086
	umoci insert $ROOTLESS --image many:base --opaque three/bin /bin
	is "$(import many)" "$(unpacked many:base)"
	for path in /opt/hard /usr/lib/deep /tmp; do
		# shellcheck disable=SC2086
		umoci insert $ROOTLESS --image many:base --whiteout "$path"
		is "$(import many)" "$(unpacked many:base)"
	done
	copy oci:many:base docker-archive:many.tar:many:1
	is "$(import many.tar)" "$(unpacked many:base)"
	[ "$(find many/blobs -type f | wc -l)" -gt 7 ]
}

@test "what umoci repacks after changes is what it unpacks" {
	new_image repack:a files
	for change in 'rm -r etc' 'mkdir etc; echo new >etc/x' 'rm bin/tool; mkdir bin/tool; echo y >bin/tool/y' 'chmod 711 bin; ln bin/same-tool z'; do
		rm -rf bundle
		# shellcheck disable=SC2086
		umoci unpack $ROOTLESS --image repack:a bundle
		(cd bundle/rootfs && eval "$change")
		umoci repack --image repack:a bundle
		is "$(import repack)" "$(unpacked repack:a)"
	done
}

@test "an image that glovebox built is a root filesystem too" {
	new_spec "$WORK/spec"
	glovebox run spec/build.yaml --quiet --out "$WORK/out"
	is "$(import out/image.tar)" "$(copy oci-archive:out/image.tar oci:own:own && unpacked own:own)"
}

@test "of several images one is chosen by name, and nothing is guessed" {
	new_image names:first files
	mkdir -p other
	echo other >other/file
	new_image names:second other
	expect_status 6 glovebox rootfs import x names
	expect_output "choose by --ref; there is first, second"
	is "$(import names --ref first)" "$DIGEST"
	is "$(import names --ref second)" "$(import other)"
	expect_status 6 glovebox rootfs import x names --ref third
	expect_output "holds no 'third'; there is first, second"
	expect_status 2 glovebox rootfs import x files --ref first
	expect_status 2 glovebox rootfs import x files.tar --platform linux/amd64
}

@test "an image for another machine is refused until it is asked for" {
	new_image foreign:x files
	umoci config --image foreign:x --architecture s390x
	expect_status 6 glovebox rootfs import x foreign
	expect_output "there is linux/s390x: choose by --platform"
	is "$(import foreign --platform linux/s390x)" "$DIGEST"
	expect_status 2 glovebox rootfs import x foreign --platform 's390x!'
}

@test "a prefix is held to what it says" {
	expect_status 6 glovebox rootfs import x oci:files
	expect_output "oci-layout"
	expect_status 6 glovebox rootfs import x dir:files.tar
	expect_output "not a directory"
	expect_status 6 glovebox rootfs import x tar:files
	expect_output "not a file"
	expect_status 6 glovebox rootfs import x docker-archive:files.tar
	expect_output "manifest.json"
	expect_status 6 glovebox rootfs import x oci-archive:files.tar
	# As they are: a layout's own files.
	is "$(import dir:layout)" "$(tar -C layout -cf as-is.tar --owner=0 --group=0 . && import tar:as-is.tar)"
}

@test "a root filesystem with a manifest.json at its top is no docker archive" {
	mkdir -p site/bin
	echo '[]' >site/manifest.json
	tar -C site -cf site.tar --owner=0 --group=0 manifest.json bin
	is "$(import site)" "$(import site.tar)"
	gzip -k site.tar
	is "$(import site)" "$(import site.tar.gz)"
}

@test "what is exported comes back, and other tools read it" {
	glovebox rootfs import export files.tar
	glovebox rootfs export export -o export.tar
	is "$(import export.tar)" "$DIGEST"
	mkdir by-tar by-bsdtar
	tar -C by-tar -xpf export.tar
	bsdtar -C by-bsdtar -xpf export.tar
	is "$(import by-tar)" "$DIGEST"
	is "$(import by-bsdtar)" "$DIGEST"
	glovebox rootfs export "$DIGEST" --output export-image.tar --format oci --ref back
	is "$(import export-image.tar)" "$DIGEST"
	copy oci-archive:export-image.tar oci:exported:back
	is "$(unpacked exported:back)" "$DIGEST"
	glovebox rootfs export export -o arm.tar --format oci --platform linux/arm64
	is "$(skopeo --tmpdir "$WORK" inspect --format '{{.Architecture}}' oci-archive:arm.tar)" arm64
}

@test "an export is the same bytes by name and digest, from another store, at another time" {
	glovebox rootfs import twice files.tar
	GLOVEBOX_STORE=$WORK/store2 glovebox rootfs import other files
	for format in tar oci; do
		glovebox rootfs export twice -o 1 --format $format
		glovebox rootfs export "$DIGEST" -o 2 --format $format
		GLOVEBOX_STORE=$WORK/store2 glovebox rootfs export other -o 3 --format $format
		cmp 1 2
		cmp 1 3
	done
}

@test "an export appears whole, as the caller's, or not at all" {
	glovebox rootfs import whole files.tar
	mkdir exports
	(umask 027 && glovebox rootfs export whole -o exports/a.tar)
	is "$(stat -c '%u %a' exports/a.tar)" "$(id -u) 640"
	expect_status 2 glovebox rootfs export whole -o exports
	expect_status 2 glovebox rootfs export whole -o /dev/null
	[ -c /dev/null ]
	mkfifo exports/fifo
	expect_status 2 glovebox rootfs export whole -o exports/fifo
	expect_status 2 glovebox rootfs export whole
	expect_status 2 glovebox rootfs export whole -o exports/b.tar --format zip
	expect_status 2 glovebox rootfs export whole -o exports/b.tar --ref x
	expect_status 6 glovebox rootfs export nothing -o exports/b.tar
	# What a layer cannot say: it would take files away.
	mkdir -p marked
	: >marked/.wh.a
	expect_status 0 glovebox rootfs import marked marked
	expect_status 6 glovebox rootfs export marked -o exports/b.tar
	is "$(ls -A exports)" $'a.tar\nfifo'
}

@test "a name is removed; what it meant stays, and so do its other names" {
	glovebox rootfs import name-one files
	glovebox rootfs import name-two files
	glovebox rootfs show name-two --json | jq -e '(.names | index("name-one")) and (.names | index("name-two"))'
	glovebox rootfs remove name-one
	expect_status 6 glovebox rootfs remove name-one
	expect_output "did you mean 'name-two'"
	glovebox rootfs list --json | jq -e 'map(.name) | (index("name-one") | not) and index("name-two")'
	is "$(glovebox rootfs show "$DIGEST" --json | jq -r .digest)" "$DIGEST"
	expect_status 2 glovebox rootfs remove ../names/name-two
	expect_status 2 glovebox rootfs remove
	expect_status 2 glovebox rootfs remove name-two --json
}
