#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Verification by a policy file, and the summary that comes of it. What a policy refuses is in corpus.bats.
load lib

setup_file()
{
	begin_file
	new_spec "$WORK/spec"
	mkdir "$WORK/p"
	new_key "$WORK/p/key"
	new_key "$WORK/p/old"
	new_key "$WORK/verifier"
	"$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/p/key.pem" --builder-id https://ci.example.com/1
	PROFILE=$(jq -r '.predicate.buildDefinition.resolvedDependencies[] | select(.name == "profile") | .digest.sha256' "$WORK/out/provenance.json")
	export PROFILE
	whole_policy >"$WORK/p/policy.yaml"
}
teardown_file() { end_file; }

# whole_policy: everything that a policy can ask and that this run keeps.
whole_policy()
{
	cat <<END
apiVersion: platform.build/v1
kind: VerifyPolicy
keys: [old.pub.pem, key.pub.pem]
threshold: 1
builders:
  - https://ci.example.com/0
  - {id: https://ci.example.com/1, level: 2}
sources: ["file:."]
parameters: {spec.fileName: build.yaml}
rootfs: ["${ROOTFS#*@}"]
profiles: ["sha256:$PROFILE"]
network: none
complete: true
require: [provenance]
maxAge: 24h
END
}

# says N TEXT LINE...: a policy of these lines ends in N and says TEXT.
says()
{
	printf '%s\n' "${@:3}" >"$WORK/p/this.yaml"
	expect_status "$1" glovebox verify "$WORK/out" --policy "$WORK/p/this.yaml" --key "$WORK/p/key.pub.pem"
	expect_output "$2"
}

@test "a policy names the keys, from where it lies, and everything else" {
	expect_status 0 glovebox verify "$WORK/out" --policy "$WORK/p/policy.yaml"
	expect_output "SLSA build L2"
	cd "$WORK/p"
	expect_status 0 glovebox verify ../out --policy policy.yaml --deep
	# Without a policy nobody has said more of the builder.
	expect_status 0 glovebox verify "$WORK/out" --key key.pub.pem
	expect_output "SLSA build L1"
}

@test "options and policy hold both" {
	expect_status 0 glovebox verify "$WORK/out" --policy "$WORK/p/policy.yaml" --source file:. --param spec.fileName=build.yaml
	expect_status 4 glovebox verify "$WORK/out" --policy "$WORK/p/policy.yaml" --builder-id https://ci.example.com/0
	expect_status 4 glovebox verify "$WORK/out" --policy "$WORK/p/policy.yaml" --source file:x
	expect_status 4 glovebox verify "$WORK/out" --policy "$WORK/p/policy.yaml" --require vulns
	expect_status 0 glovebox verify "$WORK/out" --policy "$WORK/p/policy.yaml" --require sbom
}

@test "a policy that is none is told with its place" {
	head=(apiVersion:\ platform.build/v1 kind:\ VerifyPolicy)
	says 0 verified "${head[@]}"
	says 2 "this.yaml:1:1: kind is missing" "${head[0]}"
	says 2 "this.yaml:1:1: apiVersion is missing" "${head[1]}"
	says 2 "this.yaml:1:13: apiVersion: it can only be 'platform.build/v1'" 'apiVersion: v2' "${head[1]}"
	says 2 "this.yaml:3:1: unknown key 'key'; did you mean 'keys'?" "${head[@]}" 'key: x'
	says 2 "known are apiVersion" "${head[@]}" 'wholly: x'
	says 2 "keys: is empty" "${head[@]}" 'keys: []'
	says 2 "keys: must be a list" "${head[@]}" 'keys: x'
	says 2 "a text is needed here" "${head[@]}" 'sources: [yes]'
	says 2 "threshold: 2 of 1 keys can never be reached" "${head[@]}" 'keys: [key.pub.pem]' 'threshold: 2'
	says 2 "threshold: must be a number from 1" "${head[@]}" 'threshold: 0'
	says 2 "rootfs: a digest is written as sha256:" "${head[@]}" 'rootfs: [debian12]'
	says 2 "network: it can only be 'none'" "${head[@]}" 'network: loopback'
	says 2 "complete: it can only be 'true'" "${head[@]}" 'complete: false'
	says 2 "tests: it can only be 'passed'" "${head[@]}" 'tests: warned'
	says 2 "'sboom' is no kind of attestation" "${head[@]}" 'require: [sboom]'
	says 2 "maxAge: must be a time" "${head[@]}" 'maxAge: soon'
	says 2 "each is an id, or a mapping of id and level" "${head[@]}" 'builders: [{id: x, levels: 2}]'
	says 2 "level: must be a number from 1 to 3" "${head[@]}" 'builders: [{id: x, level: 4}]'
	says 2 "this.yaml:3:31: builders: 'x' is there twice" "${head[@]}" 'builders: [{id: x, level: 3}, {id: x, level: 1}]'
	says 2 "must be a single value" "${head[@]}" 'parameters: {spec: {fileName: x}}'
	says 2 "twice" "${head[@]}" 'maxAge: 1h' 'maxAge: 2h'
	says 6 "No such file" "${head[@]}" 'keys: [gone.pem]'
	says 2 "private" "${head[@]}" 'keys: [key.pem]'
	expect_status 6 glovebox verify "$WORK/out" --policy "$WORK/gone.yaml" --key "$WORK/p/key.pub.pem"
	expect_status 2 glovebox verify "$WORK/out"
	expect_status 2 glovebox verify "$WORK/out" --key "$WORK/p/key.pub.pem" --require sboom
}

@test "a summary says what was verified, by whom, and verifies itself" {
	vsa=$WORK/vsa.sigstore.json
	expect_status 0 glovebox verify "$WORK/out" --policy "$WORK/p/policy.yaml" --vsa "$vsa" --vsa-key "$WORK/verifier.pem" \
		--verifier-id https://verifier.example.com
	expect_status 0 tests/e2e/judges/verify-with-openssl.sh "$vsa" "$WORK/verifier.pub.pem"
	expect_status 0 node "${O:-build}/judges/verify-bundle.mjs" "$vsa" "$WORK/verifier.pub.pem"
	jq -r .dsseEnvelope.payload "$vsa" | base64 -d >"$WORK/vsa.json"
	image=$(cat "$WORK/out/image.digest")
	jq -e --arg image "${image#sha256:}" --arg policy "$(sha256sum <"$WORK/p/policy.yaml" | cut -d' ' -f1)" \
		--arg bundle "$(sha256sum <"$WORK/out/provenance.sigstore.json" | cut -d' ' -f1)" '
		.predicateType == "https://slsa.dev/verification_summary/v1" and .subject[0].digest.sha256 == $image and (.subject | map(.name)) == ["oci:e2e/made", "image.tar"] and
		(.predicate | .verifier.id == "https://verifier.example.com" and .verificationResult == "PASSED" and
		.verifiedLevels == ["SLSA_BUILD_LEVEL_2"] and .policy == {uri: "file:policy.yaml", digest: {sha256: $policy}} and
		.inputAttestations[0] == {uri: "file:provenance.sigstore.json", digest: {sha256: $bundle}} and
		(.inputAttestations | map(.uri)) == ["file:provenance.sigstore.json", "file:sbom.cdx.json.sigstore.json", "file:sbom.spdx.json.sigstore.json"] and
		.resourceUri == "oci:e2e/made@sha256:\($image)")' "$WORK/vsa.json"
	# The next verifier can ask for it.
	expect_status 0 glovebox verify "$WORK/out" --policy "$WORK/p/policy.yaml" --key "$WORK/verifier.pub.pem" --require vsa \
		--bundle "$WORK/out/provenance.sigstore.json" --bundle "$vsa"
	expect_output "https://slsa.dev/verification_summary/v1 in $vsa"
	# Alone it is no provenance.
	expect_status 4 glovebox verify "$WORK/out" --key "$WORK/verifier.pub.pem" --bundle "$vsa"
}

@test "no summary of what does not verify, and none without a name" {
	expect_status 4 glovebox verify "$WORK/out" --key "$WORK/verifier.pub.pem" --vsa "$WORK/none.json" --vsa-key "$WORK/verifier.pem" \
		--verifier-id https://verifier.example.com
	[ ! -e "$WORK/none.json" ]
	expect_status 2 glovebox verify "$WORK/out" --key "$WORK/p/key.pub.pem" --vsa "$WORK/none.json"
	expect_status 2 glovebox verify "$WORK/out" --key "$WORK/p/key.pub.pem" --vsa "$WORK/none.json" --vsa-key "$WORK/verifier.pub.pem" \
		--verifier-id https://verifier.example.com
	expect_status 2 glovebox verify "$WORK/out" --key "$WORK/p/key.pub.pem" --vsa "$WORK/none.json" --vsa-key "$WORK/verifier.pem" \
		--verifier-id me
	[ ! -e "$WORK/none.json" ]
}

@test "a summary says of no policy that it was met, where a key from outside of it has signed" {
	printf '%s\n' 'apiVersion: platform.build/v1' 'kind: VerifyPolicy' 'keys: [old.pub.pem]' >"$WORK/p/old.yaml"
	summary=(--vsa-key "$WORK/verifier.pem" --verifier-id https://verifier.example.com)
	expect_status 4 glovebox verify "$WORK/out" --policy "$WORK/p/old.yaml"
	expect_status 2 glovebox verify "$WORK/out" --policy "$WORK/p/old.yaml" --key "$WORK/p/key.pub.pem" --vsa "$WORK/none.json" "${summary[@]}"
	expect_output "leave out --key"
	[ ! -e "$WORK/none.json" ]
	# Without a policy's file the keys are a part of what is asked: another key, another digest.
	expect_status 0 glovebox verify "$WORK/out" --key "$WORK/p/key.pub.pem" --vsa "$WORK/one.json" "${summary[@]}"
	expect_status 0 glovebox verify "$WORK/out" --key "$WORK/p/key.pub.pem" --key "$WORK/p/old.pub.pem" --vsa "$WORK/two.json" "${summary[@]}"
	for f in one two; do
		jq -r .dsseEnvelope.payload "$WORK/$f.json" | base64 -d | jq -r .predicate.policy.digest.sha256 >"$WORK/$f"
	done
	is "$(cat "$WORK/one")" "$(printf -- '--key=%s\n' "$(glovebox key show "$WORK/p/key.pub.pem" | grep -oE '[A-Za-z0-9+/]{43}=')" | sha256sum | cut -d' ' -f1)"
	[ "$(cat "$WORK/one")" != "$(cat "$WORK/two")" ]
}

@test "the provenance says which of its lists are complete, and what a step made" {
	jq -e '.predicate.buildDefinition.internalParameters | (.glovebox_completeness | (.externalParameters, .resolvedDependencies) |
		.complete and (.because | length > 40)) and (.glovebox_stepProduced | index("subject") != null)' "$WORK/out/provenance.json"
}
