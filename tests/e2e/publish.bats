#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016  # jq's own $
# run --publish: to Debian's registry, with skopeo as judge, and to one that misbehaves.
load lib
load registry

setup_file()
{
	begin_registries
	export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=c \
		GIT_COMMITTER_EMAIL=c@example.com GIT_COMMITTER_DATE='1700000001 +0100'
	git config --global init.defaultBranch main
	new_key "$WORK/key"
	start_registry
}
teardown_file()
{
	end_registry
	end_file
}

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	mkdir -p "$DIR/r"
	SPEC=$DIR/r/build.yaml
	OUT=$DIR/out
}
teardown() { end_fake; }

# spec PUBLISH [IMAGE_NAME [COMMAND]]: $SPEC, for registry.example.com/team/app; the rest of its spec.publish is PUBLISH.
spec()
{
	cat >"$SPEC" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: e2e }
spec:
  rootfs: { ref: "$ROOTFS" }
  sources: [{ name: src, path: . , gitignore: true }]
  build:
    command: '${3:-echo content >made}'
    artifact: { base: scratch${2-, imageName: registry.example.com/team/app} }
  publish: { retry: { initialDelay: 1ms, maxDelay: 2s }${1:+, $1} }
END
}

# checkout [TAG...]: commits $DIR/r.
checkout()
{
	local tag
	git init -q "$DIR/r"
	git -C "$DIR/r" add -A
	git -C "$DIR/r" commit -qm one
	for tag; do git -C "$DIR/r" tag "$tag"; done
	COMMIT=$(git -C "$DIR/r" rev-parse HEAD)
}

# publish [OPTION...]: to the registry that $TO says is registry.example.com.
publish() { glovebox run "$SPEC" --out "$OUT" --publish --registry-map "registry.example.com=$TO" "$@"; }
# result FILTER: holds for what result.json says of publishing.
result()
{
	jq -e --arg d "$(cat "$OUT/image.digest")" --arg c "${COMMIT:-}" ".published | $1" "$OUT/result.json" >"$DIR/judged" ||
		{ jq . "$OUT/result.json"; return 1; }
}
# whole: the out directory has all that a run leaves, and holds.
whole()
{
	expect_status 0 glovebox verify "$OUT" --key "$WORK/key.pub.pem" --deep
	expect_status 0 glovebox reproduce "$OUT" --key "$WORK/key.pub.pem"
}
manifests() { asked 'map(select(.method == "PUT" and (.path | contains("/manifests/")))) | map(.path | split("/") | last) | join(" ")'; }

@test "every tag names the image, its attestation is listed; skopeo pulls the same digest" {
	spec 'tags: ["{git.sha}", "{semver}", "v{semver}", "{semver}"]'
	checkout v1.2.3
	TO=$REGISTRY
	expect_status 0 publish --key "$WORK/key.pem"
	expect_output "pushed  registry.example.com/team/app@$(cat "$OUT/image.digest")"
	expect_output "tag     registry.example.com/team/app:1.2.3"
	for tag in "$COMMIT" 1.2.3 v1.2.3; do
		is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/team/app:$tag")" "$(cat "$OUT/image.digest")"
	done
	skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/team/app:1.2.3" "oci:$DIR/copy:x"
	tar -tf "$OUT/image.tar" | sed -n 's#^blobs/sha256/\(.\)#\1#p' | sort | cmp - <(find "$DIR/copy/blobs/sha256" -type f -printf '%f\n' | sort)
	mkdir "$DIR/back"
	expect_status 0 glovebox image pull "$REGISTRY/team/app:1.2.3" -o "$DIR/back/image.tar" --attestations
	cmp "$DIR/back/image.tar" "$OUT/image.tar"
	expect_status 0 glovebox verify "$DIR/back" --key "$WORK/key.pub.pem"
	result '.outcome == "published" and .repository == "registry.example.com/team/app" and (.url | endswith("/v2/team/app"))
		and .digest == $d and .reference == .repository + "@" + $d and .attached == 5 and .fallbackTag and .tagsLeftOut == []
		and (.tags | map(.tag)) == [$c, "1.2.3", "v1.2.3"] and (.tags | all(.given))
		and .tags[1].reference == "registry.example.com/team/app:1.2.3" and (has("reason") or has("later") | not)'
	jq -e '.outcome == "passed" and (has("message") | not)' "$OUT/result.json"
	# Once more: nothing is sent twice. Three attestations are signed anew.
	expect_status 0 publish --key "$WORK/key.pem" --quiet
	result '.blobs.sent == 3 and .blobs.present == 9'
	whole
}

@test "a commit without a version leaves out the tags that want one; the build is reproduced all the same" {
	spec 'tags: ["{git.sha}", "{semver}", "{git.sha}-{semver}"]'
	checkout
	fake '{}'
	TO=$FAKE
	expect_status 0 publish --key "$WORK/key.pem"
	expect_output "tag '{semver}' is left out"
	result '.outcome == "published" and .tagsLeftOut == ["{semver}", "{git.sha}-{semver}"] and (.tags | map(.tag)) == [$c]'
	is "$(asked 'last | .path')" "/v2/team/app/manifests/$COMMIT"
	whole
}

@test "nothing leaves the host without --publish, nor in a dry run, nor after a failed step" {
	spec 'tags: [one, two]'
	fake '{}'
	TO=$FAKE
	expect_status 0 glovebox run "$SPEC" --out "$OUT" --registry-map "registry.example.com=$TO"
	jq -e 'has("published") | not' "$OUT/result.json"
	[[ $output != *pushed* ]]
	expect_status 0 publish --dry-run --key "$WORK/key.pem"
	expect_output "dry run, would publish registry.example.com/team/app@$(cat "$OUT/image.digest") as one, two to http://$FAKE/v2/team/app, with its attestations"
	result '.outcome == "dryRun" and .digest == $d and (.tags | map(.tag, .given)) == ["one", false, "two", false] and (has("blobs") | not)'
	expect_status 2 glovebox run "$SPEC" --out "$OUT" --dry-run
	expect_output "--dry-run goes with --publish"
	whole
	spec 'tags: [one]' ', imageName: registry.example.com/team/app' 'false'
	expect_status 1 publish
	jq -e '.outcome == "failed" and .published.outcome == "notPublished" and (.published.reason | contains("step '"'build'"' failed"))' "$OUT/result.json"
	[ ! -e "$DIR/log" ] || is "$(asked length)" 0
}

@test "unsigned is published, and said; without tags the digest is the name" {
	spec 'tags: []'
	fake '{}'
	TO=$FAKE
	expect_status 0 publish
	expect_output "without a tag, to http://$FAKE/v2/team/app, unsigned (no --key was given)"
	result '.outcome == "published" and .tags == [] and .attached == 0'
	is "$(manifests)" "$(cat "$OUT/image.digest")"
}

@test "when: decided by git, and told; what cannot be decided is not built" {
	spec 'tags: [x], when: [tag, main]'
	fake '{}'
	TO=$FAKE
	expect_status 6 publish
	expect_output "build.yaml:10:75: spec.publish.when: git: it is not in a git repository"
	[ ! -e "$OUT" ]
	# Without --publish nobody has to know.
	expect_status 0 glovebox run "$SPEC" --out "$OUT" --quiet
	checkout
	git -C "$DIR/r" checkout -q -b other
	expect_status 0 publish
	result '.outcome == "published"'
	echo more >"$DIR/r/more"
	git -C "$DIR/r" add more
	git -C "$DIR/r" commit -qm two
	COMMIT=$(git -C "$DIR/r" rev-parse HEAD)
	rm "$DIR/log"
	end_fake
	rm "$DIR/ports"
	fake '{}'
	TO=$FAKE
	for option in --dry-run --quiet; do
		expect_status 0 publish $option
		expect_output "pushed  no: spec.publish.when: commit $COMMIT has no version tag and is not what the branch main is at"
		result '.outcome == "notPublished" and (.reason | startswith("spec.publish.when: commit " + $c)) and (has("digest") or has("later") | not)'
		jq -e '.outcome == "passed"' "$OUT/result.json"
	done
	[ ! -s "$DIR/log" ]
	git -C "$DIR/r" tag v1.0.0
	expect_status 0 publish --quiet
	result '.outcome == "published"'
	sed -i 's/when: \[tag, main\]/when: [main]/' "$SPEC"
	expect_status 0 publish
	expect_output "is not what the branch main is at"
	git -C "$DIR/r" update-ref refs/remotes/origin/main HEAD
	git -C "$DIR/r" checkout -q --detach
	expect_status 0 publish --quiet
	result '.outcome == "published"'
}

@test "two 503s, then success: published" {
	spec 'tags: [v1]'
	fake '{"referrers": true, "fail": [{"method": "PUT", "path": "/manifests/v1", "status": 503, "times": 2}]}'
	TO=$FAKE
	expect_status 0 publish --key "$WORK/key.pem"
	is "$(asked 'map(select(.method == "PUT" and (.path | endswith("/manifests/v1")))) | length')" 3
	result '.outcome == "published" and .tags[0].given and .attached == 5 and (.fallbackTag | not)'
}

@test "always 503: exit 7, no tag, and all results are kept; as often as the spec says" {
	spec 'tags: [v1, v2]'
	sed -i 's/retry: {/retry: { attempts: 3,/' "$SPEC"
	fake '{"fail": [{"method": "PUT", "path": "/up/", "status": 503, "times": -1}]}'
	TO=$FAKE
	expect_status 7 publish --key "$WORK/key.pem"
	expect_output "answered 503"
	expect_output "push the image later with"
	expect_output "  glovebox image push $OUT registry.example.com/team/app:v1 --attestations --registry-map registry.example.com=$FAKE"
	is "$(manifests)" ""
	is "$(asked 'map(select(.method == "PUT")) | length')" 3
	jq -e '.outcome == "failed" and .message == .published.reason and .signed' "$OUT/result.json"
	result '.outcome == "failed" and (.reason | startswith("publish: push to ")) and (has("digest") or has("reference") | not)
		and (.tags | all(.given | not)) and (.later | length) == 2'
	whole
}

@test "the attestation cannot be attached: no tag" {
	spec 'tags: [v1]'
	fake '{"fail": [{"method": "PUT", "path": "/manifests/sha256-", "status": 500, "times": -1}]}'
	TO=$FAKE
	expect_status 7 publish --key "$WORK/key.pem"
	[[ " $(manifests) " != *" v1 "* ]]
	result '.outcome == "failed" and (.tags[0].given | not)'
}

@test "of three tags the second fails: the first is there, the third is not tried, both can be made up for" {
	spec 'tags: [one, two, three]'
	fake '{"fail": [{"method": "PUT", "path": "/manifests/two", "status": 403, "times": 1}]}'
	TO=$FAKE
	expect_status 7 publish --key "$WORK/key.pem"
	expect_output "tag 'two' of $FAKE/team/app: "
	result '.outcome == "failed" and .digest == $d and .attached == 5 and (.tags | map(.given)) == [true, false, false] and (.later | length) == 2'
	[[ " $(manifests) " == *" one two " ]]
	jq -r '.published.later[]' "$OUT/result.json" >"$DIR/later"
	while read -r name rest; do
		is "$name" glovebox
		eval "expect_status 0 glovebox $rest"
	done <"$DIR/later"
	for tag in one two three; do
		is "$(glovebox image pull "$FAKE/team/app:$tag" -o "$DIR/$tag.tar" --json | jq -r .image)" "$(cat "$OUT/image.digest")"
	done
}

@test "a registry that is not there is found after the build: all results are kept, and pushed later" {
	OUT="$DIR/it's out"
	spec 'tags: [v1], retry: { attempts: 1 }'
	sed -i 's/retry: { initialDelay: 1ms, maxDelay: 2s }, //' "$SPEC"
	TO=127.0.0.1:1
	expect_status 7 publish --key "$WORK/key.pem"
	expect_output "publish: push to 127.0.0.1:1/team/app: "
	whole
	later=$(jq -r '.published.later[0]' "$OUT/result.json")
	eval "expect_status 0 ${later//127.0.0.1:1/$REGISTRY\/later}"
	is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/later/team/app:v1")" "$(cat "$OUT/image.digest")"
}

@test "what cannot be published is refused before anything is built" {
	TO=$REGISTRY
	spec 'tags: [v1]' ''
	expect_status 2 publish
	expect_output "build.yaml:9:15: spec.build.artifact.imageName is not given"
	spec 'tags: [v1]' ', imageName: team/app'
	expect_status 2 publish --dry-run
	expect_output "build.yaml:9:43: spec.build.artifact.imageName: "
	expect_output "with the registry's host first"
	spec 'tags: [v1]'
	TO=http://plain.example.com expect_status 2 publish
	expect_output "not encrypted"
	expect_status 2 glovebox run "$SPEC" --out "$OUT" --publish --registry-map registry.example.com
	[ ! -e "$OUT" ]
}

@test "no secret gets into results, logs or messages" {
	spec 'tags: [v1]'
	fake '{"auth": "token", "redirect": true, "upload": true}'
	TO=$FAKE
	chmod 700 "$HOME" "$HOME/.docker"
	jq -n --arg h "$FAKE" '{auths: {($h): {auth: ("ann:geheim" | @base64)}}}' >"$HOME/.docker/config.json"
	chmod 600 "$HOME/.docker/config.json"
	expect_status 0 publish --key "$WORK/key.pem"
	[[ $output != *geheim* ]]
	run ! grep -rqaE "geheim|t0ken|$(printf ann:geheim | base64)" "$OUT"
	jq -n --arg h "$FAKE" '{auths: {($h): {username: "ann", password: "falsch"}}}' >"$HOME/.docker/config.json"
	expect_status 7 publish --key "$WORK/key.pem"
	expect_output "answered 401"
	[[ $output != *falsch* ]]
	run ! grep -rqaE "falsch|$(printf ann:falsch | base64)" "$OUT"
	# docker's configuration that cannot be read is found after the build as well, and ends no other way.
	echo '{' >"$HOME/.docker/config.json"
	expect_status 7 publish --key "$WORK/key.pem"
	rm "$HOME/.docker/config.json"
	whole
}

@test "ended while it publishes: 143, and all results are kept" {
	spec 'tags: [v1]'
	sed -i 's/maxDelay: 2s/maxDelay: 1m/' "$SPEC"
	fake '{"fail": [{"method": "HEAD", "path": "/blobs/", "status": 503, "times": -1, "after": "50"}]}'
	"$GLOVEBOX" run "$SPEC" --out "$OUT" --publish --registry-map "registry.example.com=$FAKE" --key "$WORK/key.pem" --quiet >"$DIR/said" 2>&1 3>&- &
	pid=$!
	wait_until [ -s "$DIR/log" ]
	kill -TERM "$pid"
	wait "$pid" && status=0 || status=$?
	is "$status" 143
	jq -e '.outcome == "failed" and .published.outcome == "failed" and (.published.later | length) == 1' "$OUT/result.json"
	whole
}
