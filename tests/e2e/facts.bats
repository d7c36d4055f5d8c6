#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a spec takes from beside it: facts of the git checkout that it lies in, and files that it includes.
load lib

setup_file()
{
	begin_file
	export HOME=$WORK/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=c \
		GIT_COMMITTER_EMAIL=c@example.com GIT_COMMITTER_DATE='1700000001 +0100'
	mkdir -p "$HOME"
	git config --global init.defaultBranch main
}

teardown_file()
{
	end_file
}

setup()
{
	T=$(mktemp -d "$WORK/t.XXXXXX")
	chmod 755 "$T"
}

# spec: one in $T/r/build.yaml that uses the facts.
spec()
{
	mkdir -p "$T/r"
	cat >"$T/r/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: facts }
spec:
  rootfs: { ref: "$ROOTFS" }
  sandbox: { clock: { sourceDateEpoch: "{git.commitTime}" }, env: { REVISION: "{git.sha}" } }
  build:
    command: 'echo "\$REVISION \$SOURCE_DATE_EPOCH" >told'
    artifact:
      base: scratch
      config: { labels: { rev: "{git.sha}", when: "at {git.commitTime}", version: "v{semver}" } }
  publish: { tags: ["{git.sha}", "{semver}"] }
END
}

# checkout: commits $T/r, tagged twice.
checkout()
{
	git init -q "$T/r"
	git -C "$T/r" add -A
	git -C "$T/r" commit -qm one
	git -C "$T/r" tag -am v v1.9.0
	git -C "$T/r" tag v1.10.0
	COMMIT=$(git -C "$T/r" rev-parse HEAD)
}

# config OUT: the image's configuration.
config()
{
	skopeo inspect --config --raw "oci-archive:$1/image.tar"
}

# forge OUT FILTER: the unsigned statement of OUT, changed by jq's FILTER.
forge()
{
	jq -cjS "$2" "$1/provenance.json" >"$1/forged"
	mv "$1/forged" "$1/provenance.json"
}

@test "git: facts are in the image, the plan and the provenance; the same commit gives the same image later" {
	spec
	checkout
	expect_status 0 glovebox run "$T/r/build.yaml" --out "$T/out" --quiet
	config "$T/out" | jq -e --arg c "$COMMIT" '.config.Labels == {rev: $c, when: "at 1700000001", version: "v1.10.0"}
		and .created == "2023-11-14T22:13:21Z"'
	skopeo copy -q "oci-archive:$T/out/image.tar" "dir:$T/image"
	for blob in "$T"/image/*; do bsdtar -xOf "$blob" src/told 2>/dev/null || true; done | grep -qx "$COMMIT 1700000001"
	jq -e --arg c "$COMMIT" '.predicate.buildDefinition.externalParameters.spec.facts ==
		{gitSha: $c, gitCommitTime: 1700000001, semver: "1.10.0"}' "$T/out/provenance.json"
	glovebox plan "$T/r/build.yaml" | jq -e --arg c "$COMMIT" '.spec.facts.gitSha == $c and .sourceDateEpoch == 1700000001
		and .artifact.labels.rev == $c and .publishTags == [$c, "1.10.0"]
		and (.steps[0].env | index("REVISION=" + $c)) != null'
	sleep 1
	git clone -q "$T/r" "$T/later"
	expect_status 0 glovebox run "$T/later/build.yaml" --out "$T/again" --quiet
	cmp "$T/out/image.tar" "$T/again/image.tar"
}

@test "git: a reproduction asks no git, and goes by what is recorded" {
	spec
	checkout
	new_key "$T/k"
	expect_status 0 glovebox run "$T/r/build.yaml" --out "$T/out" --key "$T/k.pem" --quiet
	# Nothing is left to ask.
	rm -rf "$T/r"
	expect_status 0 glovebox reproduce "$T/out" --key "$T/k.pub.pem"
	expect_status 0 glovebox verify "$T/out" --key "$T/k.pub.pem" --param "spec.facts.gitSha=$COMMIT" \
		--param spec.facts.gitCommitTime=1700000001 --param spec.facts.semver=1.10.0
	expect_status 4 glovebox verify "$T/out" --key "$T/k.pub.pem" --param spec.facts.semver=1.9.0
	expect_status 0 glovebox reproduce "$T/out" --unverified
	cp -r "$T/out" "$T/less"
	forge "$T/less" 'del(.predicate.buildDefinition.externalParameters.spec.facts.semver)'
	expect_status 4 glovebox reproduce "$T/less" --unverified
	expect_output 'spec.facts has no semver'
	cp -r "$T/out" "$T/other"
	forge "$T/other" '.predicate.buildDefinition.externalParameters.spec.facts.branch = "main"'
	expect_status 4 glovebox reproduce "$T/other" --unverified
	expect_output "unknown member 'branch'"
	cp -r "$T/out" "$T/time"
	forge "$T/time" '.predicate.buildDefinition.externalParameters.spec.facts.gitCommitTime = 5'
	expect_status 4 glovebox reproduce "$T/time" --unverified
	expect_output sourceDateEpoch
}

@test "git: what cannot be read ends with 6 at its place; git is asked only where a placeholder is" {
	spec
	expect_status 6 glovebox plan "$T/r/build.yaml"
	expect_output 'r/build.yaml:6:79: {git.sha}: git: it is not in a git repository'
	expect_status 0 glovebox check "$T/r/build.yaml"
	checkout
	git -C "$T/r" tag -d v1.9.0 v1.10.0
	expect_status 6 glovebox plan "$T/r/build.yaml"
	expect_output "r/build.yaml:11:83: {semver}: commit $COMMIT has no version tag"
	git -C "$T/r" tag v1.0.0+b
	expect_status 6 glovebox plan "$T/r/build.yaml"
	expect_output "'1.0.0+b'"
	rm -rf "$T/r/.git/objects"
	expect_status 6 glovebox plan "$T/r/build.yaml"
	expect_output 'r/build.yaml:6:79: {git.sha}: git: '
	sed -i 's/"{git.commitTime}"/1/; s/{[a-zA-Z.]*}/x/g' "$T/r/build.yaml"
	expect_status 0 glovebox plan "$T/r/build.yaml"
	sed -i 's/rev: "x"/rev: "{git.hash}"/' "$T/r/build.yaml"
	expect_status 2 glovebox check "$T/r/build.yaml"
	expect_output "'{git.hash}' is no placeholder"
}

# including [DIGEST] [BODY]: a spec in $T/build.yaml that includes $T/part/common.yaml.
including()
{
	cat >"$T/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: including }
spec:
  include:
    - path: part/common.yaml
      digest: ${1:-$(digest_of "$T/part/common.yaml")}
${2:-  build: { artifact: { config: { labels: { own: a, both: own \} \} \} \}}
END
}

digest_of()
{
	printf 'sha256:%s' "$(sha256sum <"$1" | cut -d' ' -f1)"
}

# part LINES: $T/part/common.yaml.
part()
{
	mkdir -p "$T/part"
	printf 'apiVersion: platform.build/v1\nkind: BuildSpec\nspec:\n%s\n' "$1" >"$T/part/common.yaml"
}

@test "include: a part of a spec from another file, in the provenance with its bytes, and reproduced without it" {
	part "  rootfs: { ref: \"$ROOTFS\" }
  build: { command: 'echo x >y', artifact: { base: scratch, config: { labels: { part: b, both: part } } } }"
	including
	new_key "$WORK/key"
	expect_status 0 glovebox check "$T/build.yaml"
	expect_status 0 glovebox run "$T/build.yaml" --key "$WORK/key.pem" --quiet
	config "$T/out" | jq -e '.config.Labels == {own: "a", part: "b", both: "own"}'
	digest=$(digest_of "$T/part/common.yaml")
	jq -e --arg d "${digest#sha256:}" --rawfile text "$T/part/common.yaml" '.predicate.buildDefinition |
		.externalParameters.spec.includes == [{path: "part/common.yaml", digest: {sha256: $d}, text: $text}] and
		(.resolvedDependencies[] | select(.name == "include")) == {name: "include", uri: "file:part/common.yaml", digest: {sha256: $d}}' \
		"$T/out/provenance.json"
	glovebox plan "$T/build.yaml" | jq -e --arg d "$digest" '.spec.includes == [{path: "part/common.yaml", digest: $d}]'
	rm -r "$T/part"
	expect_status 0 glovebox verify "$T/out" --key "$WORK/key.pub.pem"
	expect_status 0 glovebox reproduce "$T/out" --key "$WORK/key.pub.pem"
	cp -r "$T/out" "$T/forged"
	forge "$T/forged" 'del(.predicate.buildDefinition.externalParameters.spec.includes)'
	expect_status 4 glovebox reproduce "$T/forged" --unverified
	cp -r "$T/out" "$T/forged2"
	forge "$T/forged2" '.predicate.buildDefinition.externalParameters.spec.includes |= . + .'
	expect_status 4 glovebox reproduce "$T/forged2" --unverified
}

@test "include: a wrong digest, a file that is missing or elsewhere end with 6; errors name the file that they are in" {
	part "  rootfs: { ref: \"$ROOTFS\" }
  build: { command: x }"
	including sha256:1111111111111111111111111111111111111111111111111111111111111111
	for command in check plan lock run; do
		expect_status 6 glovebox $command "$T/build.yaml"
		expect_output "$T/build.yaml:7:15: included file 'part/common.yaml' is $(digest_of "$T/part/common.yaml"), not sha256:1111"
	done
	including
	mv "$T/part/common.yaml" "$T/part/elsewhere.yaml"
	expect_status 6 glovebox plan "$T/build.yaml"
	expect_output "$T/build.yaml:6:7: included file 'part/common.yaml': no such file"
	cp "$T/part/elsewhere.yaml" "$WORK/outside.yaml"
	ln -s "$WORK/outside.yaml" "$T/part/common.yaml"
	expect_status 6 glovebox check "$T/build.yaml"
	expect_output "leads out of the spec's directory"
	rm "$T/part/common.yaml"
	mkfifo "$T/part/common.yaml"
	expect_status 6 glovebox check "$T/build.yaml"
	expect_output 'not a regular file'
	rm "$T/part/common.yaml"
	part "  rootfs: { reef: x }"
	including
	expect_status 2 glovebox plan "$T/build.yaml"
	expect_output "$T/part/common.yaml:4:13: spec.rootfs.reef: unknown key; did you mean 'ref'?"
	part "  rootfs: { ref: nowhere@sha256:1111111111111111111111111111111111111111111111111111111111111111 }
  build: { command: x }"
	including
	expect_status 6 glovebox plan "$T/build.yaml"
	expect_output "$T/part/common.yaml:4:18: "
}

@test "include: no cycles, no depth, no types that conflict" {
	part "  include: [{ path: build.yaml, digest: sha256:1111111111111111111111111111111111111111111111111111111111111111 }]"
	including
	expect_status 2 glovebox check "$T/build.yaml"
	expect_output "$T/part/common.yaml:4:3: spec.include: an included file cannot include others"
	part "  build: { command: x }"
	including '' '  build: [x]'
	expect_status 2 glovebox check "$T/build.yaml"
	expect_output "$T/build.yaml:8:10: spec.build: a list here, but a mapping at $T/part/common.yaml:4:10"
	including '' "  include: []"
	expect_status 2 glovebox check "$T/build.yaml"
}
