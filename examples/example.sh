#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An example from end to end: a root filesystem with what it needs is made and imported, it is built and tested on that, its
# image verified, built again bit for bit, and run: its files in a box, and by podman where that can.
#
#   example.sh PROGRAM NAME [WORKDIR]      NAME is a directory here: hello, lua, python-wheel, node-app
#
# Everything made lies below WORKDIR (default: glovebox-NAME-UID in ${TMPDIR:-/tmp}), which is
# made anew each time; only what was downloaded is kept, see rootfs/make-rootfs.sh.
set -euo pipefail
umask 022

. "$(dirname "$0")/lib.sh"
begin example 8

make_rootfs()
{
	local packages=()
	[ ! -e "$examples/$name/packages" ] || packages=(--packages "$(cat "$examples/$name/packages")")
	"$examples/rootfs/make-rootfs.sh" "${packages[@]}" "$work/rootfs"
	cp -r "$examples/$name" "$work/$name"
	if [ -e "$work/$name/prepare.sh" ]; then
		"$work/$name/prepare.sh" "$work/$name"
	fi
}

import()
{
	"$glovebox" rootfs import "$rootfs" "$work/rootfs" --store "$work/store" | tee "$work/import.log" | sed 's/^/    /'
	rm -rf "$work/rootfs"
}

# The spec with its inputs pinned. A base that lies on disk is made of the root filesystem.
pin()
{
	local digest spec=$work/$name/build.yaml
	pin_rootfs "$spec" "$rootfs" "$(tail -n 1 "$work/import.log")"
	if grep -q 'base: oci:./base.tar@' "$spec"; then
		mkdir "$work/base"
		echo 'an image with node' >"$work/base/README"
		digest=$("$glovebox" image pack "$work/base" --to /usr/share/base --base "$rootfs" --compression zstd \
			--env PATH=/usr/bin:/bin --label org.opencontainers.image.title=base --output "$work/$name/base.tar" --store "$work/store")
		sed -i "s,\(base: oci:./base.tar@\).*,\1$digest," "$spec"
	fi
	"$glovebox" check "$spec" | sed 's/^/    /'
	"$glovebox" key generate "$work/example-key" | sed 's/^/    /'
}

build()
{
	"$glovebox" run "$work/$name/build.yaml" --store "$work/store" --out "$out" --key "$work/example-key.pem" | sed 's/^/    /'
	"$glovebox" image inspect "$out" | cut -c 1-140 | sed 's/^/    /'
}

verify()
{
	"$glovebox" verify "$out" --key "$work/example-key.pub.pem" --deep | sed 's/^/    /'
}

reproduce()
{
	"$glovebox" reproduce "$out" --store "$work/store" --key "$work/example-key.pub.pem" | sed 's/^/    /'
}

expect_greeting()
{
	printf '    %s\n' "$1"
	[[ $1 == hello[\ ,]* ]] || die "the image's program was to say hello"
}

# The image's files as a root filesystem of their own, its entrypoint in the box. Unpacked with nothing but tar.
run_in_box()
{
	local layer command env
	mkdir -p "$work/image" "$work/unpacked"
	tar -C "$work/image" -xf "$out/image.tar"
	"$glovebox" image inspect "$out" --json >"$work/image.json"
	for layer in $(jq -r '.layers[].digest' "$work/image.json" | tr : /); do
		tar -C "$work/unpacked" --no-same-owner -xf "$work/image/blobs/$layer"
	done
	# What a box needs to mount on.
	mkdir -p "$work/unpacked"/{dev,proc,tmp,etc,build}
	"$glovebox" rootfs import "image-$name" "$work/unpacked" --store "$work/store" >/dev/null
	mapfile -t command < <(jq -r '.config.config | (.Entrypoint // []) + (.Cmd // []) | .[]' "$work/image.json")
	mapfile -t env < <(jq -r '.config.config.Env // [] | .[] | "--env", .' "$work/image.json")
	expect_greeting "$("$glovebox" exec --rootfs "image-$name" --store "$work/store" "${env[@]}" -- "${command[@]}")"
	chmod -R u+rwX "$work/unpacked"
	rm -rf "$work/unpacked" "$work/image"
}

# Whether podman can: root, or whoever is given more ids, for any image; others for one that needs no id but that of root.
can_run_it()
{
	[ "$(id -u)" = 0 ] || grep -qs "^$(id -un 2>/dev/null):\|^$(id -u):" /etc/subuid ||
		[ "$(jq -r '.config.config.User // ""' "$work/image.json")" = "" ]
}

# What podman is told is about the host, not about the image: a store of its own, removed afterwards, in a form that works on any file
# system, below a path that is short enough for its sockets; no systemd, neither for cgroups nor for events; no network, which the
# examples need none of and which would change the host's; limits that a container's root may set, too.
run_by_podman()
{
	local podman dir
	if ! can_run_it; then
		echo "    left to root: the image's user is not root, and /etc/subuid gives no ids to $(id -u)"
		return
	fi
	dir=$(mktemp -d /tmp/gb-podman.XXXXXX)
	podman=(env -u XDG_RUNTIME_DIR podman --root "$dir/root" --runroot "$dir/run" --tmpdir "$dir/tmp" --storage-driver vfs
		--cgroup-manager cgroupfs --events-backend file --runtime runc)
	"${podman[@]}" load -q -i "$out/image.tar" >"$work/podman.log"
	expect_greeting "$("${podman[@]}" run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=512:512 \
		"$("${podman[@]}" images -q | head -n 1)")"
	"${podman[@]}" rmi -a -f >/dev/null
	[ "$(id -u)" = 0 ] || "${podman[@]}" unshare rm -rf "$dir/root" "$dir/run"
	rm -rf "$dir"
}

[ $# = 2 ] || [ $# = 3 ] || die "usage: example.sh PROGRAM NAME [WORKDIR]"
[ -x "$1" ] || die "$1: no such program; run make first"
glovebox=$(realpath "$1")
examples=$(dirname "$(realpath "$0")")
name=$2
[ -e "$examples/$name/build.yaml" ] || die "$name: no such example"
rootfs=$(sed -n 's/^    ref: //p' "$examples/$name/build.yaml")
work=$(choose_work "glovebox-$name" "${3:-}")
out=$work/out

prepare
stage "making a root filesystem for $name" make_rootfs
stage "importing it into the store" import
stage "pinning the spec, generating a key" pin
stage "building and testing examples/$name in the sandbox" build
stage "verifying the image against its signed provenance" verify
stage "building it again from the provenance" reproduce
stage "running the image's program in a box" run_in_box
stage "running the image by podman and runc" run_by_podman

printf '\n%s: image %s verified, reproduced and run\n' "$name" "$(cat "$out/image.digest")"
