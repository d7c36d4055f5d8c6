#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hermetic build from end to end: a root filesystem is made and imported, examples/hello is built
# and tested on it, the image is verified, and built again from its provenance, bit for bit.
#
#   demo.sh PROGRAM [WORKDIR]      PROGRAM is the glovebox to use; `make demo` calls this
#
# With GB_DEMO_VARY=1 it is also built on a host that differs in all that must not matter.
#
# Everything made lies below WORKDIR (default: glovebox-demo-UID in ${TMPDIR:-/tmp}), which is
# made anew each time; only the downloaded packages are kept, see rootfs/make-rootfs.sh.
set -euo pipefail
umask 022

. "$(dirname "$0")/lib.sh"
begin demo $((7 + ${GB_DEMO_VARY:-0}))

import()
{
	"$glovebox" rootfs import hello-build "$work/rootfs" --store "$work/store" | tee "$work/import.log" | sed 's/^/    /'
	rm -rf "$work/rootfs"
}

pin()
{
	cp -r "$examples/hello" "$work/hello"
	pin_rootfs "$work/hello/build.yaml" hello-build "$(tail -n 1 "$work/import.log")"
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

vary()
{
	"$glovebox" reproduce "$out" --store "$work/store" --key "$work/demo-key.pub.pem" --vary all --fragile | tee "$work/vary.log" | sed 's/^/    /'
	grep -qx 'fragile  nothing' "$work/vary.log" || die "examples/hello depends on what it is told of itself"
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
work=$(choose_work glovebox-demo "${2:-}")
out=$work/out

prepare
stage "making a root filesystem with gcc and make" "$examples/rootfs/make-rootfs.sh" "$work/rootfs"
stage "importing it into the store" import
stage "pinning the spec, generating a key" pin
stage "building and testing examples/hello in the sandbox" build
stage "running what was built" look
stage "verifying the image against its signed provenance" verify
stage "building it again from the provenance" reproduce
[ "${GB_DEMO_VARY:-0}" = 0 ] || stage "building it again on a host that differs" vary

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
