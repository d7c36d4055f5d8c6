#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What tests came to: their reports, the statement about them, and what a verifier makes of it.
load lib

setup_file()
{
	begin_file
	new_key "$WORK/key"
	policy tests 'tests: passed'
	policy none
	run_tests "$WORK/good" 'mkdir -p reports; case_ ok; case_ other; end_ reports/a.xml' '' --key "$WORK/key.pem"
}
teardown_file() { end_file; }

policy()
{
	printf '%s\n' 'apiVersion: platform.build/v1' 'kind: VerifyPolicy' 'keys: [key.pub.pem]' "${@:2}" >"$WORK/$1.yaml"
}

# run_tests DIR COMMAND FIELDS OPTION...: a spec in DIR with the tests `unit`, which runs COMMAND (case_ NAME [INNER] adds a case, end_ FILE writes the report)
# and has FIELDS besides, and `extra`, which is not required.
run_tests()
{
	mkdir -p "$1"
	cat >"$1/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: {name: tested}
spec:
  rootfs: {ref: "$ROOTFS"}
  build:
    command: "mkdir -p reports made && printf '<testsuite><testcase name=\"of the build\"/></testsuite>' >reports/build.xml"
    artifact: {imageName: e2e/tested, base: scratch}
  tests:
  - name: unit
    command: |
      cases=
      case_() { cases="\$cases<testcase classname='c' name='\$1'>\${2:-}</testcase>"; }
      end_() { echo "<testsuite>\$cases</testsuite>" >"\$1"; }
      $2
    ${3:-}
  - {name: extra, required: false, kind: slow, command: "exit ${EXTRA:-0}"}
END
	"$GLOVEBOX" run "$1/build.yaml" --out "$1/out" "${@:4}"
}

# statement OUT FILTER: asks the statement.
statement() { jq -e "$2" "$1/test-result.json"; }

@test "a test's report becomes a signed statement about the image" {
	out=$WORK/good/out
	statement "$out" '.predicateType == "https://in-toto.io/attestation/test-result/v0.1" and .predicate.result == "PASSED"'
	statement "$out" '.predicate.passedTests == ["unit", "unit/c.ok", "unit/c.other", "extra"]'
	statement "$out" '.predicate.failedTests == [] and .predicate.warnedTests == []'
	statement "$out" '.predicate.glovebox_stepProduced | index("passedTests") != null and index("glovebox_tests.reports") != null'
	statement "$out" ".predicate.glovebox_tests[0].reports == [{path: \"reports/a.xml\", passed: 2, failed: 0, skipped: 0,
		digest: \"sha256:$(sha256sum <"$out/junit/unit.xml" | cut -d' ' -f1)\"}]"
	statement "$out" '.predicate.glovebox_tests[1] | .kind == "slow" and .required == false and .ended == "exit 0"'
	# It is about just what the provenance is about, and its configuration are the same inputs.
	is "$(jq -c .subject "$out/test-result.json")" "$(jq -c '.subject[:2]' "$out/provenance.json")"
	is "$(jq -c .predicate.configuration "$out/test-result.json")" "$(jq -c .predicate.buildDefinition.resolvedDependencies "$out/provenance.json")"
	is "$(jq -r .dsseEnvelope.payload "$out/test-result.sigstore.json" | base64 -d)" "$(cat "$out/test-result.json")"
	# What the build wrote is no report of the test's.
	run ! grep -rq 'of the build' "$out/junit" "$out/test-result.json"
	jq -e '.steps[1].reports[0].passed == 2' "$out/result.json"
}

@test "others judge its bundle, too" {
	bundle=$WORK/good/out/test-result.sigstore.json
	new_key "$WORK/other"
	expect_status 0 tests/e2e/judges/verify-with-openssl.sh "$bundle" "$WORK/key.pub.pem"
	expect_status 1 tests/e2e/judges/verify-with-openssl.sh "$bundle" "$WORK/other.pub.pem"
	expect_status 0 node "${O:-build}/judges/verify-bundle.mjs" "$bundle" "$WORK/key.pub.pem"
	expect_status 1 node "${O:-build}/judges/verify-bundle.mjs" "$bundle" "$WORK/other.pub.pem"
}

@test "verify takes it, and a policy asks it" {
	expect_status 0 glovebox verify "$WORK/good/out" --policy "$WORK/tests.yaml" --require test-result
	expect_output "https://in-toto.io/attestation/test-result/v0.1 in "
	cp -r "$WORK/good/out" "$WORK/without"
	rm "$WORK/without/test-result.sigstore.json"
	expect_status 0 glovebox verify "$WORK/without" --policy "$WORK/none.yaml"
	expect_status 4 glovebox verify "$WORK/without" --policy "$WORK/tests.yaml"
	expect_output "there is no attestation 'test-result'"
	# Another image's says nothing of this one.
	run_tests "$WORK/another" 'true # another' '' --key "$WORK/key.pem"
	sed -i 's/made &&/made \&\& echo x >made\/x \&\&/' "$WORK/another/build.yaml"
	glovebox run "$WORK/another/build.yaml" --out "$WORK/another/out" --key "$WORK/key.pem"
	cp "$WORK/another/out/test-result.sigstore.json" "$WORK/without"
	expect_status 4 glovebox verify "$WORK/without" --policy "$WORK/tests.yaml"
	expect_output "not about the image"
}

@test "a test result of another run is refused, be the image, the key and the inputs the same" {
	cp -r "$WORK/good" "$WORK/twice"
	glovebox run "$WORK/twice/build.yaml" --out "$WORK/twice/out" --key "$WORK/key.pem"
	is "$(cat "$WORK/good/out/image.digest")" "$(cat "$WORK/twice/out/image.digest")"
	is "$(jq -c .predicate.configuration "$WORK/good/out/test-result.json")" "$(jq -c .predicate.configuration "$WORK/twice/out/test-result.json")"
	expect_status 0 glovebox verify "$WORK/twice/out" --policy "$WORK/tests.yaml"
	cp "$WORK/good/out/test-result.sigstore.json" "$WORK/twice/out"
	expect_status 4 glovebox verify "$WORK/twice/out" --policy "$WORK/tests.yaml"
	expect_output "the test result is of another run: its statement is"
	expect_status 4 glovebox verify "$WORK/twice/out" --key "$WORK/key.pub.pem" --require test-result
	# The statement that is read without a signature is that of the run, too.
	cp -r "$WORK/good/out" "$WORK/unsigned"
	sed -i 's/"PASSED"/"FAILED"/' "$WORK/unsigned/test-result.json"
	expect_status 4 glovebox verify "$WORK/unsigned" --key "$WORK/key.pub.pem"
	expect_output "is not the test result that the provenance names"
}

@test "a report that tells of failures is no pass, whatever the test ended with" {
	run_tests "$WORK/lies" 'mkdir -p reports; case_ bad "<failure/>"; case_ gone "<skipped/>"; end_ reports/a.xml' '' --key "$WORK/key.pem"
	statement "$WORK/lies/out" '.predicate.result == "FAILED" and .predicate.failedTests == ["unit/c.bad"] and .predicate.passedTests == ["unit", "extra"]'
	statement "$WORK/lies/out" '.predicate.glovebox_tests[0].reports[0] | .failed == 1 and .skipped == 1'
	expect_status 4 glovebox verify "$WORK/lies/out" --policy "$WORK/tests.yaml"
	expect_output "the tests' result is FAILED"
	expect_status 0 glovebox verify "$WORK/lies/out" --policy "$WORK/none.yaml"
	EXTRA=3 run_tests "$WORK/warns" true '' --key "$WORK/key.pem"
	statement "$WORK/warns/out" '.predicate.result == "WARNED" and .predicate.warnedTests == ["extra"] and (.predicate.glovebox_tests[1].ended == "exit 3")'
	expect_status 4 glovebox verify "$WORK/warns/out" --policy "$WORK/tests.yaml"
	expect_output "the tests' result is WARNED"
}

@test "taken from the cache it says the same" {
	first=$(jq -c 'del(.predicate.glovebox_tests[].cached)' "$WORK/good/out/test-result.json")
	jq -e '[.predicate.glovebox_tests[].cached] == [false, false]' "$WORK/good/out/test-result.json"
	cp "$WORK/good/out/junit/unit.xml" "$WORK/first.xml"
	glovebox run "$WORK/good/build.yaml" --out "$WORK/good/out" --key "$WORK/key.pem"
	jq -e '[.predicate.glovebox_tests[].cached] == [true, true]' "$WORK/good/out/test-result.json"
	is "$(jq -c 'del(.predicate.glovebox_tests[].cached)' "$WORK/good/out/test-result.json")" "$first"
	cmp "$WORK/good/out/junit/unit.xml" "$WORK/first.xml"
	# A report that is damaged in the store is no hit.
	hex=$(sha256sum <"$WORK/first.xml" | cut -d' ' -f1)
	object=$GLOVEBOX_STORE/objects/${hex:0:2}/${hex:2}
	chmod 644 "$object"
	tr '<' '(' <"$WORK/first.xml" >"$object"
	chmod 444 "$object"
	glovebox run "$WORK/good/build.yaml" --out "$WORK/good/out" --key "$WORK/key.pem"
	jq -e '[.predicate.glovebox_tests[].cached] == [false, true]' "$WORK/good/out/test-result.json"
	cmp "$WORK/good/out/junit/unit.xml" "$WORK/first.xml"
}

@test "a pattern that the spec gives must be met" {
	expect_status 1 run_tests "$WORK/missing" true 'reports: {junit: "out/*.xml"}'
	expect_output "required test 'unit' failed: exit 0, but it left no report"
	[ ! -e "$WORK/missing/out/test-result.json" ]
	expect_status 0 run_tests "$WORK/two" 'mkdir -p r/x; case_ a; end_ r/1.xml; case_ b; end_ r/x/2.xml' 'reports: {junit: "r/**"}'
	is "$(cd "$WORK/two/out/junit" && echo *)" "unit+2.xml unit.xml"
	# Unsigned, there is the statement alone.
	[ -e "$WORK/two/out/test-result.json" ]
	[ ! -e "$WORK/two/out/test-result.sigstore.json" ]
	# shellcheck disable=SC2016  # the test expands it
	expect_status 1 run_tests "$WORK/many" 'mkdir r; for i in $(seq 65); do end_ r/$i.xml; done' 'reports: {junit: "r/*.xml"}'
	expect_output "more than 64"
	expect_status 2 run_tests "$WORK/outside" true 'reports: {junit: "../*.xml"}'
}

@test "what a test writes says nothing but its own, and harms nobody" {
	hostile='mkdir -p reports/dir.xml
      ln -s /etc/passwd reports/link.xml; mkfifo reports/fifo.xml; truncate -s 20M reports/large.xml
      echo "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testsuite><testcase name=\"&b;\"/></testsuite>" >reports/bomb.xml
      echo "<coverage/>" >reports/coverage.xml
      printf "<testsuite><testcase name=\"\033[31m\"/>" >reports/cut.xml
      echo "<testsuite><testcase name=\"extra\"/><testcase classname=\"../extra\" name=\"/x\"/><testcase name=\"a&#10;b&#x85;c\"/></testsuite>" >reports/names.xml'
	expect_status 0 run_tests "$WORK/hostile" "$hostile" '' --key "$WORK/key.pem"
	statement "$WORK/hostile/out" '.predicate.passedTests == ["unit", "unit/extra", "unit/../extra./x", "unit/a b c", "extra"]'
	statement "$WORK/hostile/out" '[.predicate.glovebox_tests[0].reports[] | select(.fault != null) | .path] ==
		["reports/bomb.xml", "reports/coverage.xml", "reports/cut.xml", "reports/large.xml"]'
	statement "$WORK/hostile/out" '.predicate.glovebox_tests[0].reports[0].fault | test("a document type")'
	is "$(ls "$WORK/hostile/out/junit")" unit.xml
	expect_output "'reports/coverage.xml' is not read as a report"
	expect_status 0 glovebox verify "$WORK/hostile/out" --policy "$WORK/tests.yaml"
}

@test "evidence has it, and verify asks it there" {
	glovebox run "$WORK/good/build.yaml" --out "$WORK/good/out" --key "$WORK/key.pem" --evidence "$WORK/good.evidence"
	expect_status 0 glovebox verify "$WORK/good.evidence" --policy "$WORK/tests.yaml" --deep
	expect_output "https://in-toto.io/attestation/test-result/v0.1 in "
	EXTRA=1 run_tests "$WORK/warned" true '' --key "$WORK/key.pem" --evidence "$WORK/warned.evidence"
	expect_status 0 glovebox verify "$WORK/warned.evidence" --policy "$WORK/none.yaml"
	expect_status 4 glovebox verify "$WORK/warned.evidence" --policy "$WORK/tests.yaml"
	expect_output "the tests' result is WARNED"
	new_spec "$WORK/untested"
	glovebox run "$WORK/untested/build.yaml" --out "$WORK/untested/out" --key "$WORK/key.pem" --evidence "$WORK/untested.evidence"
	expect_status 4 glovebox verify "$WORK/untested.evidence" --policy "$WORK/tests.yaml"
	expect_output "there is no attestation 'test-result'"
	expect_status 0 glovebox reproduce "$WORK/good.evidence" --key "$WORK/key.pub.pem"
}

@test "a run without tests has no such statement, and an earlier one's does not stay" {
	new_spec "$WORK/plain"
	cp -r "$WORK/good/out" "$WORK/plain/out"
	glovebox run "$WORK/plain/build.yaml" --out "$WORK/plain/out"
	[ ! -e "$WORK/plain/out/test-result.json" ]
	[ ! -e "$WORK/plain/out/test-result.sigstore.json" ]
	[ ! -e "$WORK/plain/out/junit" ]
}
