#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hermetic build from end to end: a root filesystem is made and imported, examples/hello is built
# and tested on it, the image is verified, and built again from its provenance, bit for bit.
#
#   demo.sh PROGRAM [WORKDIR]      PROGRAM is the glovebox to use; `make demo` calls this
#
# Everything made lies below WORKDIR (default: glovebox-demo-UID in ${TMPDIR:-/tmp}), which is
# made anew each time; only the downloaded packages are kept, see rootfs/make-rootfs.sh.
set -euo pipefail
umask 022

die()
{
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# Runs the rest of its arguments as a stage with a number, a title and the time it took.
stage()
{
	local title=$1 began status
	shift
	number=$((number + 1))
	printf '==> [%d/7] %s\n' "$number" "$title"
	began=$(date +%s%N)
	# In a shell of its own and with its status asked for afterwards: `"$@" ||` would turn -e off inside.
	set +e
	(
		set -e
		"$@"
	)
	status=$?
	set -e
	[ $status = 0 ] || die "stage $number failed: $title (what there is so far: $work)"
	printf '    %d ms\n' $((($(date +%s%N) - began) / 1000000))
}

# Whether other users can get at a directory: as root, glovebox works as an unprivileged user.
in_reach()
{
	local dir=$1
	while [ "$dir" != / ]; do
		dir=$(dirname "$dir")
		[ ! -d "$dir" ] || [ -n "$(find "$dir" -maxdepth 0 -perm -o+x)" ] || return 1
	done
}

# An empty work directory; one that isn't a demo's, or somebody else's, is not touched.
prepare()
{
	if [ -L "$work" ] || { [ -e "$work" ] && [ ! -O "$work" ]; }; then
		die "$work: is not your own directory; name another"
	fi
	if [ -e "$work" ] && [ ! -e "$work/.glovebox-demo" ] && [ -n "$(ls -A "$work")" ]; then
		die "$work: is not empty and no earlier demo made it; name another directory"
	fi
	if [ -e "$work" ]; then
		chmod -R u+rwX "$work"
		rm -rf "$work"
	fi
	mkdir -p "$(dirname "$work")"
	mkdir "$work"
	touch "$work/.glovebox-demo"
}

import()
{
	"$glovebox" rootfs import hello-build "$work/rootfs" --store "$work/store" | tee "$work/import.log" | sed 's/^/    /'
	rm -rf "$work/rootfs"
}

# The spec with its root filesystem pinned: packages move on, a build's inputs must not.
pin()
{
	local digest
	digest=$(tail -n 1 "$work/import.log")
	[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || die "rootfs import did not end with a digest: $digest"
	cp -r "$examples/hello" "$work/hello"
	sed -i "s/^\( *ref: hello-build\)\$/\1@$digest/" "$work/hello/build.yaml"
	grep -q "@$digest" "$work/hello/build.yaml" || die "hello/build.yaml has no line 'ref: hello-build' to pin"
	"$glovebox" check "$work/hello/build.yaml" | sed 's/^/    /'
	"$glovebox" key generate "$work/demo-key" | sed 's/^/    /'
}

build()
{
	"$glovebox" run "$work/hello/build.yaml" --store "$work/store" --out "$out" --key "$work/demo-key.pem" | sed 's/^/    /'
}

verify()
{
	"$glovebox" verify "$out" --key "$work/demo-key.pub.pem" | sed 's/^/    /'
}

reproduce()
{
	"$glovebox" reproduce "$out" --store "$work/store" --key "$work/demo-key.pub.pem" | sed 's/^/    /'
}

# What is in the image runs on its own: unpacked with nothing but tar.
look()
{
	local layer
	mkdir -p "$work/image" "$work/unpacked"
	tar -C "$work/image" -xf "$out/image.tar"
	for layer in "$work"/image/blobs/sha256/*; do
		tar -C "$work/unpacked" -xzf "$layer" 2>/dev/null || true
	done
	printf '    %s\n' "$("$work/unpacked/src/hello" auditor)"
}

[ $# = 1 ] || [ $# = 2 ] || die "usage: demo.sh PROGRAM [WORKDIR]"
[ -x "$1" ] || die "$1: no such program; run make first"
glovebox=$(realpath "$1")
examples=$(dirname "$(realpath "$0")")
default=$(realpath -m "${TMPDIR:-/tmp}")/glovebox-demo-$(id -u)
work=$(realpath -ms "${2:-$default}")
if [ "$(id -u)" = 0 ] && ! in_reach "$work"; then
	work=$default
	printf 'demo: working in %s: glovebox, started by root, works as an ordinary user and needs a directory in reach of one\n' "$work"
fi
out=$work/out
number=0

prepare
stage "making a root filesystem with gcc and make" "$examples/rootfs/make-rootfs.sh" "$work/rootfs"
stage "importing it into the store" import
stage "pinning the spec, generating a key" pin
stage "building and testing examples/hello in the sandbox" build
stage "running what was built" look
stage "verifying the image against its signed provenance" verify
stage "building it again from the provenance" reproduce

cat <<END

image digest: $(cat "$out/image.digest")
verified
reproduced: identical
files:
  the image (OCI layout)           $out/image.tar
  its signed provenance            $out/provenance.sigstore.json
  the outcome of steps and tests   $out/result.json
  what they wrote                  $out/logs/
  the key to verify it with        $work/demo-key.pub.pem
  the spec, pinned                 $work/hello/build.yaml
END
