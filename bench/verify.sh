#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/verify.sh BUILD_DIR: what `verify` of an image with five attestations costs, against `openssl dgst -sha256` of the same file in the same
# run (bench/README.md).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.bash
. "$here/lib.bash"
begin "$@"
: "${work:?}" "${build:?}"
runs=${RUNS:-21}
bytes=${BYTES:-500000000}

tool -static -o "$work/rootfs/bin/true" "$here/true.c"
tool -o "$work/bin/interleave" "$here/interleave.c"
export GLOVEBOX_STORE=$work/store

glovebox()
{
	as "$work/bin/glovebox" "$@" >/dev/null
}

# An image of one file that nothing can compress.
make_image()
{
	mkdir "$work/spec"
	head -c "$bytes" /dev/urandom >"$work/spec/data"
	cat >"$work/spec/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: {name: bench}
spec:
  rootfs: {ref: "bench@$(as "$work/bin/glovebox" rootfs import bench "$work/rootfs" | tail -n 1)"}
  build:
    argv: [/bin/true]
    artifact: {imageName: bench/verify, base: scratch, compression: none}
END
	own "$work/spec"
	glovebox key generate "$work/key"
	glovebox run "$work/spec/build.yaml" --out "$work/out" --key "$work/key.pem"
}

# The provenance, and four summaries by two kinds of keys.
attest()
{
	local i types=(p256 ed25519)
	bundles=(--key "$work/key.pub.pem" --bundle "$work/out/provenance.sigstore.json")
	for i in 1 2 3 4; do
		glovebox key generate "$work/verifier-$i" --type "${types[i % 2]}"
		glovebox verify "$work/out" --key "$work/key.pub.pem" --vsa "$work/out/vsa-$i.sigstore.json" --vsa-key "$work/verifier-$i.pem" \
			--verifier-id "https://verifier.example.com/$i"
		bundles+=(--key "$work/verifier-$i.pub.pem" --bundle "$work/out/vsa-$i.sigstore.json")
	done
}

hand_over_work
make_image
attest
rm -r "$work/store"
sync
about
stat -c '%s bytes: image.tar' "$work/out/image.tar"
as "$work/bin/interleave" "$runs" \
	'openssl dgst -sha256=' openssl dgst -sha256 "$work/out/image.tar" ::: \
	'verify, 5 attestations=' "$work/bin/glovebox" verify "$work/out" "${bundles[@]}" ::: \
	'verify, provenance alone=' "$work/bin/glovebox" verify "$work/out" --key "$work/key.pub.pem" ::: \
	'verify --deep, 5 attestations=' "$work/bin/glovebox" verify "$work/out" "${bundles[@]}" --deep
