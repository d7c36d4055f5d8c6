#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify-with-openssl.sh BUNDLE PUB.pem
#
# A judge that shares no code with glovebox: takes a bundle's DSSE envelope apart
# with jq and base64, writes the pre-authentication encoding with printf, and lets
# openssl verify the signature over it. Exit 0 and "accepted", 1 when refused, 2
# when called wrongly.
set -eu

[ $# -eq 2 ] || { echo "usage: verify-with-openssl.sh BUNDLE PUB.pem" >&2; exit 2; }
bundle=$1 key=$2

refuse()
{
	echo "refused: $*" >&2
	exit 1
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

jq -e '.dsseEnvelope.signatures | length == 1' "$bundle" >"$tmp/one" || refuse "not exactly one signature"
type=$(jq -er '.dsseEnvelope.payloadType' "$bundle") || refuse "no payload type"
jq -er '.dsseEnvelope.payload' "$bundle" >"$tmp/payload.b64" || refuse "no payload"
jq -er '.dsseEnvelope.signatures[0].sig' "$bundle" >"$tmp/sig.b64" || refuse "no signature"
base64 -d "$tmp/payload.b64" >"$tmp/payload" || refuse "the payload is not base64"
base64 -d "$tmp/sig.b64" >"$tmp/sig" || refuse "the signature is not base64"

# The hint and the key id: base64 of the SHA-256 of the DER public key.
id=$(openssl pkey -pubin -in "$key" -outform DER | openssl dgst -sha256 -binary | base64)
jq -e --arg id "$id" '.verificationMaterial.publicKey.hint == $id and .dsseEnvelope.signatures[0].keyid == $id' \
	"$bundle" >"$tmp/id" || refuse "made with another key than $id"

{
	printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$(wc -c <"$tmp/payload")"
	cat "$tmp/payload"
} >"$tmp/pae"
case $(openssl pkey -pubin -in "$key" -noout -text | head -n 1) in
ED25519*) set -- openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$tmp/pae" -sigfile "$tmp/sig" ;;
*) set -- openssl dgst -sha256 -verify "$key" -signature "$tmp/sig" "$tmp/pae" ;;
esac
"$@" >"$tmp/verdict" 2>&1 || refuse "$(head -n 1 "$tmp/verdict")"
echo accepted
