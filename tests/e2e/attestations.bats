#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# All that a run says of itself: in the form that others ask for, small, and with nothing in it that a step has a say in.
load lib

setup_file()
{
	begin_file
	new_key "$WORK/key"
	"$GLOVEBOX" key generate "$WORK/ed" --type ed25519 >/dev/null
	TESTS='  tests: [{ name: unit, command: "mkdir reports; echo \"<testsuite><testcase name=\\\"a\\\"/></testsuite>\" >reports/a.xml" }]' \
		new_spec "$WORK/spec"
	"$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem" --evidence "$WORK/run.evidence"
	"$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$WORK/ed-out" --key "$WORK/ed.pem"
	verdicts key "$WORK/out"
	verdicts ed "$WORK/ed-out"
}

# verdicts KEY OUT: a summary and a result of verifying and reproducing OUT, signed with KEY too, put there.
verdicts()
{
	"$GLOVEBOX" reproduce "$2" --key "$WORK/$1.pub.pem" --svr "$WORK/svr.$1" --svr-key "$WORK/$1.pem" --verifier-id https://v.example.com
	"$GLOVEBOX" verify "$2" --key "$WORK/$1.pub.pem" --vsa "$2/vsa.sigstore.json" --vsa-key "$WORK/$1.pem" --verifier-id https://v.example.com
	mv "$WORK/svr.$1" "$2/svr.sigstore.json"
}
teardown_file() { end_file; }

# judged STATUS VERDICT NUMBER KIND FILE... [-- KIND FILE...]...: the judge gives this verdict of each of so many files. One process for all of
# them: it takes half a second to begin.
judged()
{
	local want=$1 verdict=$2 number=$3
	shift 3
	expect_status "$want" node "${O:-build}/judges/check-schema.mjs" "$@"
	is "$(grep -c ": $verdict" <<<"$output") of $(wc -l <<<"$output")" "$number of $number" || { echo "$output" >&2; return 1; }
}

payload() { jq -r .dsseEnvelope.payload "$1" | base64 -d; }

# documents TAR: unpacks the layout in it.
documents()
{
	rm -rf "$WORK/layout"
	mkdir "$WORK/layout"
	tar -xf "$1" -C "$WORK/layout"
}

blob() { echo "$WORK/layout/blobs/sha256/${1#sha256:}"; }

@test "openssl alone and sigstore's verifier accept every bundle that is written, by either kind of key, and none under another" {
	local bundle other statements=()
	for bundle in "$WORK/out"/*.sigstore.json; do
		other=$WORK/ed-out/${bundle##*/}
		expect_status 0 tests/e2e/judges/verify-with-openssl.sh "$bundle" "$WORK/key.pub.pem"
		expect_status 0 tests/e2e/judges/verify-with-openssl.sh "$other" "$WORK/ed.pub.pem"
		expect_status 1 tests/e2e/judges/verify-with-openssl.sh "$bundle" "$WORK/ed.pub.pem"
		expect_status 0 node "${O:-build}/judges/verify-bundle.mjs" "$bundle" "$WORK/key.pub.pem"
		expect_status 0 node "${O:-build}/judges/verify-bundle.mjs" "$other" "$WORK/ed.pub.pem"
		expect_status 1 node "${O:-build}/judges/verify-bundle.mjs" "$bundle" "$WORK/ed.pub.pem"
		statements+=("$WORK/statement${#statements[@]}.json")
		payload "$bundle" >"${statements[-1]}"
	done
	# Provenance, two bills of materials, test result, verification summary, verification result.
	judged 0 valid 6 statement "${statements[@]}"
	is "$(for bundle in "$WORK/out"/*.sigstore.json; do payload "$bundle" | jq -r .predicateType; done | sort)" "$(printf '%s\n' \
		https://cyclonedx.org/bom https://in-toto.io/attestation/svr/v0.2 https://in-toto.io/attestation/test-result/v0.1 \
		https://slsa.dev/provenance/v1 https://slsa.dev/verification_summary/v1 https://spdx.dev/Document/v2.3)"
	# All of them are about the same image, and verify together.
	expect_status 0 glovebox verify "$WORK/out" --key "$WORK/key.pub.pem" --require provenance,sbom,test-result,vsa,svr
}

@test "ajv: a statement of another form is refused" {
	for bundle in provenance test-result; do
		payload "$WORK/out/$bundle.sigstore.json" | cmp - "$WORK/out/$bundle.json"
	done
	judged 0 valid 2 statement "$WORK/out/provenance.json" "$WORK/out/test-result.json"
	# The judge can refuse.
	lies=()
	for lie in '.subject = []' '.subject[0].digest.sha256 = "X"' 'del(.predicate.runDetails.builder.id)' '.predicate.runDetails.metadata.startedOn = "today"' \
		'.predicate.buildDefinition.other = 1' '.predicateType = "https://slsa.dev/provenance/v2"' '.predicate.runDetails.byproducts[-1].mediaType = 1' '.predicate.buildDefinition.resolvedDependencies[0] = {name: "x"}'; do
		lies+=("$WORK/lie${#lies[@]}.json")
		jq "$lie" "$WORK/out/provenance.json" >"${lies[-1]}"
	done
	jq '.predicate.result = "GOOD"' "$WORK/out/test-result.json" >"$WORK/lie.json"
	judged 1 refused 9 statement "$WORK/lie.json" "${lies[@]}"
}

@test "ajv: the image's documents have the form of image-spec, those of evidence too" {
	for tar in "$WORK/out/image.tar" "$WORK/run.evidence"; do
		documents "$tar"
		index=$WORK/layout/index.json
		manifests=()
		for digest in $(jq -r '.manifests[].digest' "$index"); do
			manifests+=("$(blob "$digest")")
		done
		[ "${#manifests[@]}" -gt 0 ]
		judged 0 valid $((3 + ${#manifests[@]})) layout "$WORK/layout/oci-layout" -- index "$index" -- manifest "${manifests[@]}" -- \
			config "$(blob "$(jq -r .config.digest "${manifests[-1]}")")"
	done
	jq 'del(.config)' "${manifests[-1]}" >"$WORK/lie.json"
	jq '.manifests[0].digest = "md5"' "$index" >"$WORK/lie2.json"
	judged 1 refused 2 manifest "$WORK/lie.json" -- index "$WORK/lie2.json"
}

@test "the attestation of a build with 20,000 files in node_modules, that of its sources and its own, is below 100 KB" {
	# shellcheck disable=SC2016  # the build expands it
	new_spec "$WORK/many" 'cp -r node_modules copy'
	python3 - "$WORK/many/node_modules" <<-'END'
		import os, sys
		for p in range(200):
		    d = '%s/package-%d/lib' % (sys.argv[1], p)
		    os.makedirs(d)
		    for k in range(100):
		        open('%s/%d.js' % (d, k), 'w').write('exports.x = %d.%d\n' % (p, k))
	END
	glovebox run "$WORK/many/build.yaml" --out "$WORK/many/out" --key "$WORK/key.pem" --evidence "$WORK/many.evidence"
	for f in provenance.sigstore.json provenance.json; do
		[ "$(stat -c %s "$WORK/many/out/$f")" -lt 100000 ]
	done
	# Not because it says less: a tree's digest stands for all of it, and the manifest that has that digest lies beside it.
	is "$(grep -c '\.js type=file' "$WORK/many/out/trees/source-src.mtree")" 20000
	is "$(grep -c '\.js type=file' "$WORK/many/out/trees/output.mtree")" 40000
	jq -e --arg source "$(sha256sum <"$WORK/many/out/trees/source-src.mtree" | cut -d' ' -f1)" \
		--arg output "$(sha256sum <"$WORK/many/out/trees/output.mtree" | cut -d' ' -f1)" '.predicate.buildDefinition |
		.internalParameters.outputTree == "sha256:" + $output and
		(.resolvedDependencies[] | select(.name == "src") | .digest.sha256) == $source' "$WORK/many/out/provenance.json"
	expect_status 0 glovebox verify "$WORK/many/out" --key "$WORK/key.pub.pem"
	expect_status 0 glovebox verify "$WORK/many.evidence" --key "$WORK/key.pub.pem"
	rm -rf "$WORK/many" "$WORK/many.evidence"
}

# ---- what a step has no say in ------------------------------------------------------------------------------

# two_steps DIR NAME ATTACK: a spec in DIR whose build does its work and ATTACK, and whose test does its own.
two_steps()
{
	mkdir -p "$1"
	printf '%s\n' "$2" >"$1/attack.sh"
	cat >"$1/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: {name: steps}
spec:
  rootfs: {ref: "$ROOTFS"}
  sources: [{name: src, path: ., mount: /src, exclude: [out]}]
  build:
    command: "sh ./attack.sh >/dev/null 2>&1 || true; rm -f attack.sh; mkdir -p /src/made; echo genuine >/src/made/file; echo built"
    artifact: {imageName: e2e/steps, base: scratch}
  tests:
  - {name: unit, command: "mkdir reports; echo '<testsuite><testcase name=\"honest\"/></testsuite>' >reports/a.xml; cat made/file"}
END
}

# what_counts OUT: all that OUT says, without what differs from run to run, the sources, which bills of materials and test results name, and the
# calls that were refused, which glovebox tells.
what_counts()
{
	(cd "$1" && find . -type f | sort)
	jq -S '{outcome, message, signed, keyId, builderId, output, steps: [.steps[] | {name, type, required, ok, ended, code, log, receipt, reports}]}' "$1/result.json"
	jq -S 'del(.predicate.buildDefinition.externalParameters.spec, .predicate.runDetails.metadata, .predicate.buildDefinition.resolvedDependencies,
		.predicate.buildDefinition.internalParameters.cachedSteps, (.predicate.runDetails.byproducts[] | select(.name | test("^sbom\\.|^trees/source-|^test-result"))))' "$1/provenance.json"
	jq -S 'del(.serialNumber) | [.components[] | {name, hashes}]' "$1/sbom.cdx.json"
	jq -S 'del(.predicate.configuration, .predicate.glovebox_tests[].cached)' "$1/test-result.json"
	cat "$1/image.digest"
}

@test "a step that goes for the key, the result, the provenance, its receipt and the cache changes nothing that is said" {
	attack="
		for place in '$WORK' '$WORK/key.pem' '$GLOVEBOX_STORE' '$WORK/hostile/out'; do ls -la \"\$place\"; cat \"\$place\"; done
		find / -name '*.pem' -exec cat {} +
		cat /proc/*/environ /proc/*/maps /proc/*/cmdline
		for fd in /proc/1/fd/*; do (echo '{\"ok\":true,\"verified\":true}' >\$fd); done
		fd=3; while [ \$fd -lt 64 ]; do (eval \"echo forged >&\$fd\"); fd=\$((fd + 1)); done
		for place in '$WORK/hostile/out' /src/out /out /tmp/out; do
			mkdir -p \$place/logs \$place/junit
			for name in result.json provenance.json provenance.sigstore.json test-result.json test-result.sigstore.json image.digest events.jsonl logs/unit.log junit/unit.xml; do
				echo forged >\$place/\$name
			done
		done
		for place in '$GLOVEBOX_STORE' /store /build/home/.cache/glovebox; do
			mkdir -p \$place/results \$place/objects/aa \$place/tmp
			echo '{}' >\$place/results/step-$(printf '1%.0s' {1..64})
			echo forged >\$place/objects/aa/$(printf '1%.0s' {1..62})
		done
		mkdir -p /src/reports; echo '<testsuite><testcase name=\"forged\"/></testsuite>' >/src/reports/forged.xml
		rm -rf /src/out /src/reports
		kill -9 1; kill -STOP 1; kill -USR1 1
		mount -t tmpfs none /proc; unshare -m true; hostname forged; chroot / true"
	two_steps "$WORK/honest" true
	two_steps "$WORK/hostile" "$attack"
	GLOVEBOX_STORE=$WORK/apart "$GLOVEBOX" rootfs import tiny "$WORK/rootfs" >/dev/null
	GLOVEBOX_STORE=$WORK/apart "$GLOVEBOX" run "$WORK/honest/build.yaml" --out "$WORK/apart-out" --key "$WORK/key.pem"
	# In the store that everybody uses, and there first.
	glovebox run "$WORK/hostile/build.yaml" --out "$WORK/hostile/out" --key "$WORK/key.pem"
	what_counts "$WORK/apart-out" >"$WORK/said"
	diff "$WORK/said" <(what_counts "$WORK/hostile/out")
	expect_status 0 glovebox verify "$WORK/hostile/out" --key "$WORK/key.pub.pem" --require test-result --deep
	# The next one finds nothing of it, and says what it says elsewhere.
	glovebox run "$WORK/honest/build.yaml" --out "$WORK/honest/out" --key "$WORK/key.pem"
	diff "$WORK/said" <(what_counts "$WORK/honest/out")
	is "$(jq -r '.steps[0].cache' "$WORK/honest/out/result.json")" miss
	run ! grep -rq forged "$WORK/honest/out" "$WORK/hostile/out" "$GLOVEBOX_STORE/results"
	expect_status 0 glovebox cache verify
	# Nor is anything of the key in what it had a hand in.
	line=$(sed -n 2p "$WORK/key.pem")
	run ! grep -rqF "$line" "$WORK/hostile/out"
}

@test "a step that dies of what it does says so, and leaves nothing either" {
	new_spec "$WORK/dies" 'echo forged | tee result.json provenance.json >image.tar; exit 7'
	expect_status 1 glovebox run "$WORK/dies/build.yaml" --out "$WORK/dies/out" --key "$WORK/key.pem"
	jq -e '.outcome == "failed" and .signed == false and (.steps | length) == 1 and .steps[0].code == 7' "$WORK/dies/out/result.json"
	[ ! -e "$WORK/dies/out/provenance.json" ] && [ ! -e "$WORK/dies/out/test-result.json" ] && [ ! -e "$WORK/dies/out/image.tar" ]
	# A failure is no cache entry.
	expect_status 1 glovebox run "$WORK/dies/build.yaml" --out "$WORK/dies/out" --key "$WORK/key.pem"
	is "$(jq -r '.steps[0].cache' "$WORK/dies/out/result.json")" miss
}
