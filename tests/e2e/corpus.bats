#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What must be refused: each of these differs from a good out directory in one thing (corpus.py), and is refused with 4 for that thing.
load lib

setup_file()
{
	begin_file
	new_spec "$WORK/spec" 'mkdir bin && cp /bin/busybox bin/ && echo built'
	"$GLOVEBOX" key generate "$WORK/key" --type ed25519 >/dev/null
	"$GLOVEBOX" key generate "$WORK/other" --type ed25519 >/dev/null
	new_key "$WORK/ec"
	"$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem" --builder-id https://ci.example.com/1
	python3 "$BATS_TEST_DIRNAME/corpus.py" "$WORK/out" "$WORK/corpus" "$WORK/key.pem" "$WORK/other.pem" "$WORK/ec.pem"
	policy "$WORK/policy.yaml" "maxAge: 24h"
}
teardown_file() { end_file; }

# policy FILE LINE...: a policy of these lines.
policy()
{
	local file=$1
	shift
	{
		echo 'apiVersion: platform.build/v1'
		echo 'kind: VerifyPolicy'
		printf '%s\n' "$@"
	} >"$file"
}

verify() { glovebox verify "$@" --key "$WORK/key.pub.pem" --key "$WORK/ec.pub.pem"; }

# refused: reads rows "CASE | REASON | OPTIONS": each is refused with 4 and says REASON. Of OPTIONS, OTHER stands for the case's two bundles, POLICY for the common policy.
refused()
{
	local name reason options n=0
	while IFS='|' read -r name reason options; do
		[ -n "$name" ] || continue
		read -r name <<<"$name"
		read -r reason <<<"$reason"
		local dir=$WORK/corpus/$name
		local -a words
		options=${options//POLICY/$WORK/policy.yaml}
		read -ra words <<<"${options//OTHER/--bundle $dir/provenance.sigstore.json --bundle $dir/other.sigstore.json}"
		expect_status 4 verify "$dir" "${words[@]}" || { echo "case $name"; return 1; }
		expect_output "$reason" || { echo "case $name"; return 1; }
		[[ $output != *verified$'\n'image* ]] || { echo "case $name"; return 1; }
		n=$((n + 1))
	done
	# A table that was not read proves nothing.
	is "$n" "$1"
}

@test "what the cases were made of is good" {
	expect_status 0 verify "$WORK/corpus/good" --deep --policy "$WORK/policy.yaml"
	expect_status 0 verify "$WORK/corpus/good-beside" --policy "$WORK/policy.yaml"
	for case in good-cosign good-ecdsa good-tests good-vsa good-two good-own-tests good-named-tests; do
		expect_status 0 verify "$WORK/corpus/$case" --bundle "$WORK/corpus/$case/provenance.sigstore.json" \
			--bundle "$WORK/corpus/$case/other.sigstore.json" --policy "$WORK/policy.yaml"
	done
	expect_status 0 verify "$WORK/corpus/good-tests" --require provenance,test-result
	# What is beside it is looked at only where something is asked of it.
	expect_status 0 verify "$WORK/corpus/stranger"
}

@test "bundles that are not as glovebox writes them" {
	refused 26 <<'END'
payload-tampered   | the signature does not match
signature-tampered | the signature does not match
signature-short    | not an Ed25519 signature of 64 bytes
signature-long     | too long for a signature
two-signatures     | 2 signatures; there must be exactly one
no-signature       | 0 signatures; there must be exactly one
wrong-key          | which is not one of the keys given
keyid-of-another   | member 'keyid' is
hint-of-another    | member 'keyid' is
unknown-member     | unknown member 'extra'
certificate        | unknown member 'certificate'
log-entry          | unknown member 'tlogEntries'
message-signature  | unknown member 'messageSignature'
media-type         | member 'mediaType' is
payload-type       | member 'payloadType' is
base64-unpadded    | is not strict base64
pretty             | not as glovebox writes it
no-newline         | not as glovebox writes it
array              | must be a JSON object
duplicate-key      | duplicate object key
trailing-text      | bundle:
nul                | bundle:
deep               | bundle:
empty-bundle       | bundle:
no-bundle          | no signed provenance
bundle-cut         | bundle:
END
	expect_status 4 verify "$WORK/corpus/too-large"
	expect_output "larger than"
	# Where something is asked of what lies beside it, all of that is read, whoever has put it there.
	local dir=$WORK/corpus/good
	for i in 1 2 3 4 5; do truncate -s 60M "$dir/$i.sigstore.json"; done
	expect_status 4 verify "$dir" --require sbom
	expect_output "bundles of more than 268435456 bytes together"
	rm "$dir"/[1-5].sigstore.json
	for kind in mkfifo mkdir 'ln -s /dev/zero'; do
		$kind "$dir/x.sigstore.json"
		expect_status 4 verify "$dir" --require sbom
		expect_output "is not a regular file"
		rm -r "$dir/x.sigstore.json"
	done
}

@test "statements that say too little, too much or something else, though signed" {
	refused 29 <<'END'
unknown-parameter        | externalParameters: unknown member 'evil'
unknown-option           | unknown option 'evil'
unknown-spec-member      | externalParameters.spec: unknown member 'evil'
duplicate-in-statement   | duplicate object key
predicate-type           | member 'predicateType' is
build-type               | member 'buildType' is
statement-type           | member '_type' is
no-subject               | 0 subjects
subject-without-sha256   | 'sha256' is missing
wrong-subject            | the image's manifest is sha256:
wrong-archive-subject    | the image archive is sha256:
subject-twice            | a second subject named 'image.tar'
upper-case-digest        | lower-case hex
no-archive-subject       | no subject 'image.tar'
subject-order            | subject[0] is not an image
output-subject           | 'build:src' is not the tree that internalParameters.outputTree is
no-output-tree           | 'build:src' is not the tree that internalParameters.outputTree is
both-parameters          | 'spec' is an external and an internal parameter
spec-text                | the digest is not that of the text
finished-first           | the build finished before it started
not-a-time               | is not a time in UTC
no-builder               | 'id' is missing
empty-builder            | 'id' is empty
no-run-details           | 'runDetails' is missing
pretty-statement         | not as glovebox writes it
dependency-without-digest | 'digest' is missing
empty-digest             | the digest is empty
unpinned-base            | its manifest is no resolved dependency 'base'
high-s                   | not in its low-S form
END
}

@test "archives that are not the one that was signed" {
	refused 15 <<'END'
truncated            | the image archive is sha256:
half                 | the image archive is sha256:
empty-archive        | the image archive is sha256:
appended             | the image archive is sha256:
no-image             | No such file or directory
byte                 | the image archive is sha256:
swapped-layer        | the image archive is sha256:
swapped-layer-restated | the image's manifest is sha256:
swapped-diff-id      | another digest than the config's diff ID | --deep
layer-bytes          | another digest than its name | --deep
setuid               | setuid | --deep
renamed              | the image archive is sha256:
layer-cut            | read an image
other-digest-file    | names another image
image-is-a-directory | is not a regular file
END
}

@test "other attestations that do not hold" {
	refused 27 <<'END'
stale-vsa              | the verification summary is of 2001-01-01T00:00:00Z | OTHER --policy POLICY
future-vsa             | which is yet to come                      | OTHER --policy POLICY
failed-vsa             | is 'FAILED', must be 'PASSED'             | OTHER
vsa-of-another         | not about the image                       | OTHER
stranger               | signed by none of the keys given          | OTHER
stranger               | signed by none of the keys given          | --require https://example.com/scan/v1
other-about-another    | not about the image                       | OTHER
other-certificate      | signed under a certificate                | OTHER
other-two-signatures   | 2 signatures; there must be exactly one   | OTHER
other-tampered         | the signature does not match              | OTHER
other-duplicate-key    | duplicate object key                      | OTHER
other-not-a-bundle     | 'mediaType' is missing                    | OTHER
other-provenance-empty | 'buildDefinition' is missing              | OTHER
second-provenance-lies | externalParameters: unknown member 'evil' | OTHER
tests-not-a-word       | it is PASSED, WARNED or FAILED            | OTHER
tests-contradict       | 'result' is 'PASSED', and 'failedTests' has 1 | OTHER
tests-warned-passed    | 'result' is 'PASSED', and 'warnedTests' has 1 | OTHER
tests-failed-warned    | 'result' is 'WARNED', and 'failedTests' has 1 | OTHER
tests-no-names         | something in it that is no name           | OTHER
tests-no-list          | member 'failedTests'                      | OTHER
tests-of-another       | not about the image                       | OTHER --require test-result
tests-of-other-inputs  | of another run: its configuration is not  | OTHER
tests-of-another-run   | of another run: its statement is sha256:  | --require test-result
tests-by-a-stranger    | signed by none of the keys given          | OTHER --require test-result
tests-tampered         | the signature does not match              | OTHER --require test-result
good-tests             | there is no attestation 'sbom'            | --require test-result,sbom
good                   | there is no attestation 'vsa'             | --require vsa
END
}

@test "files beside the image, and what a statement says of them" {
	refused 10 <<'END'
other-manifest         | output.mtree' is not the manifest that the provenance names
swapped-manifest       | output.mtree' is not the manifest that the provenance names
empty-manifest         | rootfs.mtree' is not the manifest that the provenance names
unknown-manifest       | the provenance names no such manifest
other-statement        | provenance.json' is not the statement that the provenance names
other-sbom             | is not the bill of materials that the provenance names
unnamed-tree           | 'trees/x.mtree' is the manifest of a tree that is not named elsewhere
manifest-of-another    | is the manifest of a tree that is not named elsewhere
byproduct-twice        | byproducts: a second one named
media-type-a-number    | 'mediaType' must be a string
END
	# A manifest has an end.
	local dir=$WORK/corpus/good
	mkdir "$dir/trees"
	mkfifo "$dir/trees/output.mtree"
	expect_status 4 verify "$dir"
	rm "$dir/trees/output.mtree"
	ln -s /dev/zero "$dir/trees/output.mtree"
	expect_status 4 verify "$dir"
	rm -r "$dir/trees"
	: >"$dir/trees"
	expect_status 4 verify "$dir"
	rm "$dir/trees"
	expect_status 0 verify "$dir"
}

@test "builds that a policy does not let pass" {
	local p=$WORK/policies
	mkdir "$p"
	policy "$p/rootfs" "rootfs: [sha256:$(printf '1%.0s' {1..64})]"
	policy "$p/profile" "profiles: [sha256:$(printf '1%.0s' {1..64})]"
	policy "$p/network" 'network: none'
	policy "$p/complete" 'complete: true'
	policy "$p/age" 'maxAge: 1h'
	policy "$p/two" "keys: [$WORK/key.pub.pem, $WORK/ec.pub.pem]" 'threshold: 2'
	policy "$p/builders" 'builders: [https://ci.example.com/2]'
	policy "$p/tests" 'tests: passed'
	policy "$p/parameters" 'parameters: {spec.fileName: other.yaml}'
	policy "$p/sources" 'sources: ["git+https://example.com/x"]'
	policy "$p/require" 'require: [vulns]'
	policy "$p/keys" "keys: [$WORK/other.pub.pem]"
	policy "$p/any-rootfs" "rootfs: [${ROOTFS#*@}]"
	refused 20 <<END
good            | the root filesystem sha256:        | --policy $p/rootfs
two-rootfs      | 2 resolved dependencies            | --policy $p/any-rootfs
good            | the profile sha256:                | --policy $p/profile
loopback        | network was 'loopback'             | --policy $p/network
no-receipt      | network was 'not told'             | --policy $p/network
incomplete      | its resolvedDependencies are complete | --policy $p/complete
old             | the build is of 2001-01-01T00:00:00Z | --policy $p/age
yet-to-come     | which is yet to come               | --policy $p/age
good            | 1 of the keys signed a provenance, 2 must have | --policy $p/two
same-key-twice  | 1 of the keys signed a provenance, 2 must have | OTHER --policy $p/two
good            | is none of those that are trusted  | --policy $p/builders
good            | must be 'https://ci.example.com/2' | --builder-id https://ci.example.com/2
good            | there is no attestation 'test-result' | --policy $p/tests
tests-failed    | the tests' result is FAILED        | --policy $p/tests
tests-warned    | the tests' result is WARNED        | --policy $p/tests
good            | there is no attestation 'vulns'    | --policy $p/require
good            | must be 'other.yaml'               | --policy $p/parameters
good            | must be 'other.yaml'               | --param spec.fileName=other.yaml
good            | is not among the resolved dependencies | --policy $p/sources
good            | is not among the resolved dependencies | --source file:elsewhere
END
	# Alone, without the keys that the rows above have besides.
	expect_status 4 glovebox verify "$WORK/corpus/good" --policy "$p/keys"
	expect_output "which is not one of the keys given"
}
