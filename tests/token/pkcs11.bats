#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signing by a key in a token: SoftHSM's, by OpenSSL's engine for tokens.
load ../e2e/lib

setup_file()
{
	begin_file
	mkdir "$WORK/tokens"
	export SOFTHSM2_CONF=$WORK/softhsm2.conf PIN=271828
	echo "directories.tokendir = $WORK/tokens" >"$SOFTHSM2_CONF"
	MODULE=$(dpkg -L libsofthsm2 | grep -m 1 '/libsofthsm2\.so$')
	softhsm2-util --init-token --free --label box --pin $PIN --so-pin 314159
	for key in sign p384; do
		curve=P-256
		[ $key = sign ] || curve=P-384
		openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$curve" -out "$WORK/$key.pem"
		openssl pkey -in "$WORK/$key.pem" -pubout -out "$WORK/$key.pub.pem"
		softhsm2-util --import "$WORK/$key.pem" --token box --label $key --id "$([ $key = sign ] && echo 01 || echo 02)" --pin $PIN
		# From here on the token alone has it.
		rm "$WORK/$key.pem"
	done
	URI="pkcs11:token=box;object=sign?module-path=$MODULE"
	export URI MODULE
	TESTS='  tests: [{ name: unit, command: "true" }]' new_spec "$WORK/spec"
}
teardown_file() { end_file; }

# signed OPTION...: a run into $WORK/out, with the PIN on a descriptor.
signed() { expect_status "$1" glovebox run "$WORK/spec/build.yaml" --out "$WORK/out" --passphrase-fd 7 "${@:2}" 7<<<"$PIN"; }

@test "a key in a token signs all that a run attests, and others judge it" {
	signed 0 --key "$URI"
	for bundle in provenance test-result; do
		expect_status 0 tests/e2e/judges/verify-with-openssl.sh "$WORK/out/$bundle.sigstore.json" "$WORK/sign.pub.pem"
		expect_status 0 node "${O:-build}/judges/verify-bundle.mjs" "$WORK/out/$bundle.sigstore.json" "$WORK/sign.pub.pem"
	done
	expect_status 0 glovebox verify "$WORK/out" --key "$WORK/sign.pub.pem" --require test-result
	# No trace of the PIN in what it leaves.
	run ! grep -rq "$PIN" "$WORK/out"
}

@test "its PIN may be in a file that the URI names" {
	echo -n "$PIN" >"$WORK/pin"
	expect_status 0 glovebox run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$URI&pin-source=file:$WORK/pin"
	expect_status 0 glovebox verify "$WORK/out" --key "$WORK/sign.pub.pem"
}

@test "it signs summaries, too, and key show tells its id" {
	signed 0 --key "$URI"
	expect_status 0 glovebox verify "$WORK/out" --key "$WORK/sign.pub.pem" --vsa "$WORK/vsa.json" --vsa-key "$URI" \
		--verifier-id https://verifier.example.com --passphrase-fd 7 7<<<"$PIN"
	expect_status 0 tests/e2e/judges/verify-with-openssl.sh "$WORK/vsa.json" "$WORK/sign.pub.pem"
	id=$(glovebox key show "$WORK/sign.pub.pem" | sed -n 's/^id *//p')
	expect_status 0 glovebox key show "$URI" --passphrase-fd 7 7<<<"$PIN"
	expect_output "P-256, private"
	expect_output "$id"
}

@test "what cannot sign is told before anything runs" {
	rm -rf "$WORK/out"
	expect_status 2 glovebox run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$URI" --passphrase-fd 7 7<<<000000
	expect_output "wrong PIN"
	signed 2 --key "pkcs11:token=box;object=nobody?module-path=$MODULE"
	signed 2 --key "pkcs11:token=box;object=sign?module-path=/nowhere.so"
	signed 2 --key "pkcs11:token=box;object=p384?module-path=$MODULE"
	expect_output "curve"
	signed 2 --key "$URI&pin-value=$PIN"
	expect_output "does not belong into a URI"
	[ ! -e "$WORK/out/logs/build.log" ]
}

@test "no step finds the token" {
	cat >"$WORK/spec/look.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: {name: look}
spec:
  rootfs: {ref: "$ROOTFS"}
  build: {command: "env | grep -i -e pkcs -e softhsm && exit 1; ls '$WORK' && exit 1; ls /proc/*/fd -l | grep -i token && exit 1; true", artifact: {imageName: e2e/look}}
END
	expect_status 0 glovebox run "$WORK/spec/look.yaml" --out "$WORK/out4" --key "$URI" --passphrase-fd 7 7<<<"$PIN"
}
