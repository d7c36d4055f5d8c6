#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016  # jq's own $
# image push and pull: with Debian's registry and skopeo as judges, and with a registry that misbehaves.
load lib
load registry

setup_file()
{
	begin_registries
	new_spec "$WORK/spec"
	new_key "$WORK/key"
	glovebox run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem"
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
	mkdir -p "$DIR"
	digest=$(cat "$WORK/out/image.digest")
}
teardown()
{
	end_fake
}

@test "push, then skopeo pulls the same digests; pull gives the same archive back" {
	expect_status 0 glovebox image push "$WORK/out" "$REGISTRY/team/app:v1" --attestations
	expect_output "image   $REGISTRY/team/app@$digest"
	is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/team/app:v1")" "$digest"
	skopeo copy --src-tls-verify=false "docker://$REGISTRY/team/app:v1" "oci:$DIR/sk:v1"
	tar -tf "$WORK/out/image.tar" | sed -n 's#^blobs/sha256/\(.\)#\1#p' | sort >"$DIR/ours"
	find "$DIR/sk/blobs/sha256" -type f -printf '%f\n' | sort | cmp - "$DIR/ours"
	mkdir "$DIR/back"
	expect_status 0 glovebox image pull "$REGISTRY/team/app@$digest" -o "$DIR/back/image.tar" --attestations
	cmp "$DIR/back/image.tar" "$WORK/out/image.tar"
	cmp "$DIR/back/provenance.sigstore.json" "$WORK/out/provenance.sigstore.json"
	expect_status 0 glovebox verify "$DIR/back" --key "$WORK/key.pub.pem" --deep
	is "$(find "$DIR/back" -mindepth 1 | wc -l)" 2
}

@test "a layout pulled is one that skopeo and umoci read" {
	glovebox image push "$WORK/out/image.tar" "$REGISTRY/team/layout:v1"
	expect_status 0 glovebox image pull "$REGISTRY/team/layout:v1" -o "$DIR/layout" --json
	is "$(jq -r .image <<<"$output")" "$digest"
	is "$(skopeo inspect --format '{{.Digest}}' "oci:$DIR/layout:latest")" "$digest"
	umoci stat --image "$DIR/layout:latest" --json | jq -e '.history | length == 1'
	expect_status 2 glovebox image pull "$REGISTRY/team/layout:v1" -o "$DIR/layout"
	expect_output "not empty"
}

@test "what skopeo pushed is pulled: docker's manifest, several platforms" {
	skopeo copy --dest-tls-verify=false --format v2s2 "oci-archive:$WORK/out/image.tar" "docker://$REGISTRY/other/docker:v1"
	expect_status 0 glovebox image pull "$REGISTRY/other/docker:v1" -o "$DIR/docker"
	# In a layout skopeo finds OCI's own manifests alone, so it cannot be asked about the copy.
	is "sha256:$(jq -r '.manifests[0].digest' "$DIR/docker/index.json" | sed 's/.*://' | { read -r d; sha256sum <"$DIR/docker/blobs/sha256/$d"; } | cut -d ' ' -f 1)" \
		"$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/other/docker:v1")"
	arch=$(jq -r '.manifests[0].platform.architecture' "$DIR/docker/index.json")
	size=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/team/app:v1" | wc -c)
	glovebox image push "$WORK/out" "$REGISTRY/other/multi"
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"platform":{"os":"linux","architecture":"%s"}}]}' \
		"$digest" "$size" "$arch" >"$DIR/index.json"
	curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @"$DIR/index.json" \
		"http://$REGISTRY/v2/other/multi/manifests/all"
	expect_status 0 glovebox image pull "$REGISTRY/other/multi:all" -o "$DIR/multi.tar"
	expect_output "index   sha256:$(sha256sum <"$DIR/index.json" | cut -d ' ' -f 1)"
	cmp "$DIR/multi.tar" "$WORK/out/image.tar"
	expect_status 6 glovebox image pull "$REGISTRY/other/multi:all" -o "$DIR/none.tar" --platform linux/s390x
	expect_output "none for linux/s390x"
	[ ! -e "$DIR/none.tar" ]
}

@test "attestations are listed under the fallback tag, beside what others put there, once" {
	glovebox image push "$WORK/out" "$REGISTRY/team/list:v1" --attestations
	tag=sha256-${digest#sha256:}
	list() { curl -sf -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$REGISTRY/v2/team/list/manifests/$tag"; }
	bundle=application/vnd.dev.sigstore.bundle.v0.3+json
	first="$bundle $bundle $bundle application/vnd.cyclonedx+json application/spdx+json"
	is "$(list | jq -r '.manifests | map(.artifactType) | join(" ")')" "$first"
	referrer=$(list | jq -r '.manifests[0].digest')
	manifest=$(curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/team/list/manifests/$referrer")
	is "$(jq -r .subject.digest <<<"$manifest")" "$digest"
	is "$(jq -r '.annotations["dev.sigstore.bundle.predicateType"]' <<<"$manifest")" https://slsa.dev/provenance/v1
	curl -sf "http://$REGISTRY/v2/team/list/blobs/$(jq -r '.layers[0].digest' <<<"$manifest")" | cmp - "$WORK/out/provenance.sigstore.json"
	cp -r "$WORK/out" "$DIR/out"
	echo '{"spdxVersion":"SPDX-2.3"}' >"$DIR/out/sbom.spdx.json"
	glovebox image push "$DIR/out" "$REGISTRY/team/list:v2" --attestations
	glovebox image push "$WORK/out" "$REGISTRY/team/list:v3" --attestations
	is "$(list | jq -r '.manifests | map(.artifactType) | join(" ")')" "$first application/spdx+json"
}

@test "an attestation of another image is not attached" {
	cp -r "$WORK/out" "$DIR/out"
	new_spec "$DIR/spec" "echo other > other"
	glovebox run "$DIR/spec/build.yaml" --out "$DIR/other" --key "$WORK/key.pem"
	cp "$DIR/other/provenance.sigstore.json" "$DIR/out/"
	expect_status 4 glovebox image push "$DIR/out" "$REGISTRY/team/wrong:v1" --attestations
	expect_output "not about the image"
	rm "$DIR/out/provenance.sigstore.json"
	expect_status 6 glovebox image push "$DIR/out" "$REGISTRY/team/wrong:v1" --attestations
	expect_status 6 glovebox image pull "$REGISTRY/team/wrong:v1" -o "$DIR/x.tar"
}

@test "two 503s, then success: published" {
	fake '{"fail": [{"method": "PUT", "path": "/manifests/v1", "status": 503, "times": 2}, {"method": "POST", "path": "uploads", "status": 429, "times": 1, "after": "1"}]}'
	expect_status 0 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	is "$(asked 'map(select(.method == "PUT" and (.path | endswith("/manifests/v1")))) | length')" 3
	is "$(asked 'last | .path')" /v2/a/b/manifests/v1
	expect_status 0 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/image.tar"
	cmp "$DIR/image.tar" "$WORK/out/image.tar"
}

@test "always 503: exit 7, and the tag is not half-written" {
	fake '{"fail": [{"method": "PUT", "path": "/up/", "status": 503, "times": -1}]}'
	expect_status 7 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	expect_output "answered 503"
	is "$(asked 'map(select(.path | contains("/manifests/"))) | length')" 0
}

@test "where the attestation cannot be attached there is no tag" {
	fake '{"fail": [{"method": "PUT", "path": "/manifests/sha256-", "status": 500, "times": -1}]}'
	expect_status 7 glovebox image push "$WORK/out" "$FAKE/a/b:v1" --attestations
	is "$(asked 'map(select(.path | endswith("/manifests/v1"))) | length')" 0
}

@test "a wrong digest in an answer is refused: blob, manifest, tag" {
	for what in /up/ /manifests/sha256: /manifests/v1; do
		fake "{\"lie\": \"$what\"}"
		expect_status 7 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
		expect_output "the registry says it is"
		[ $what = /manifests/v1 ] || is "$(asked 'map(select(.path | endswith("/manifests/v1"))) | length')" 0
		teardown
		rm "$DIR/log" "$DIR/ports"
	done
	FAKE_PID=
}

@test "changed bytes are refused when they come in, and nothing is left" {
	fake '{"corrupt": "/blobs/|/manifests/sha256:"}'
	glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	expect_status 6 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/image.tar"
	expect_output "what the registry sent is"
	expect_status 6 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/layout"
	expect_status 6 glovebox image pull "$FAKE/a/b@$digest" -o "$DIR/layout"
	expect_output "for $digest"
	mkdir "$DIR/empty"
	expect_status 6 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/empty"
	rmdir "$DIR/empty"
	is "$(find "$DIR" -mindepth 1 -not -name log -not -name ports)" ""
	expect_status 6 glovebox image pull "$FAKE/a/b:v2" -o "$DIR/image.tar"
	expect_output "has no 'v2'"
}

@test "a registry that keeps referrers itself gets no fallback tag" {
	fake '{"referrers": true}'
	expect_status 0 glovebox image push "$WORK/out" "$FAKE/a/b:v1" --attestations
	is "$(asked 'map(select(.path | contains("sha256-"))) | length')" 0
	mkdir "$DIR/back"
	expect_status 0 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/back/image.tar" --attestations
	cmp "$DIR/back/provenance.sigstore.json" "$WORK/out/provenance.sigstore.json"
}

@test "a blob is mounted from another repository where that has it" {
	fake '{"mount": ["base/one"]}'
	expect_status 0 glovebox image push "$WORK/out" "$FAKE/a/b:v1" --mount-from none/here --mount-from base/one --json
	is "$(jq -c '[.sent, .mounted]' <<<"$output")" "[0,2]"
	is "$(asked 'map(select(.method == "PUT" and (.path | contains("/up/")))) | length')" 0
}

# credentials FILTER: docker's configuration, made by jq with the registry's host as $h.
credentials() { jq -n --arg h "$FAKE" "$1" >"$HOME/.docker/config.json"; }

@test "a token is asked for with docker's credentials, and they go nowhere else" {
	fake '{"auth": "token", "redirect": true, "upload": true}'
	rm -f "$HOME/.docker/config.json"
	expect_status 7 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	expect_output "answered 401"
	credentials '{auths: {($h): {auth: ("ann:geheim" | @base64)}}}'
	expect_status 0 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	expect_status 0 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/image.tar"
	cmp "$DIR/image.tar" "$WORK/out/image.tar"
	# The registry sees tokens alone, the token service the password; data and uploads elsewhere see nothing.
	is "$(asked 'map(select(.server == "registry" and .authorization != null and .authorization != "Bearer t0ken")) | length')" 0
	is "$(asked 'map(select(.server == "elsewhere" and (.path | startswith("/token") | not) and .authorization != null)) | length')" 0
	is "$(asked 'map(select(.path | startswith("/data/") or startswith("/upload/"))) | length > 3')" true
	is "$(asked 'map(select(.path | startswith("/token"))) | last | .path')" \
		'/token?x=1&service=fake%20%22one%22&scope=repository%3Aa%2Fb%3Apull'
	asked 'map(.path) | join(" ")' | grep -qF 'scope=repository%3Aa%2Fb%3Apull%2Cpush&scope='
	run ! grep -rqF geheim "$DIR/image.tar"
}

@test "who is led to by a redirect gets no password by asking for it" {
	fake '{"auth": "token", "redirect": true, "steal": true}'
	credentials '{auths: {($h): {auth: ("ann:geheim" | @base64)}}}'
	expect_status 0 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	expect_status 6 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/image.tar"
	expect_output "answered 401"
	is "$(asked 'map(select(.path | startswith("/steal"))) | map(.authorization)')" "[]"
}

@test "what docker's configuration has for others is in no memory of glovebox's" {
	fake '{"auth": "basic", "fail": [{"method": "GET", "path": "/blobs/", "status": 503, "times": -1, "after": 20}]}'
	credentials '{auths: {($h): {auth: ("ann:geheim" | @base64)}, "other.example.com": {username: "bob", password: "zweites-wort"}}}'
	expect_status 0 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	"$GLOVEBOX" image pull "$FAKE/a/b:v1" -o "$DIR/image.tar" 3>&- &
	local runner=$! child
	wait_until grep -q '"GET", "path": "/v2/a/b/blobs/' "$DIR/log"
	# It waits, and has what it was given for this registry.
	expect_status 0 tests/e2e/memory_has.py $runner "$(printf 'Basic YW5uOmdlaGVpbQ' | od -An -tx1 | tr -d ' \n')"
	for child in $runner $(pgrep -P $runner); do
		# An ordinary user may not look into the child at all.
		[ "$(id -u)" = 0 ] || [ "$child" = $runner ] || continue
		expect_status 4 tests/e2e/memory_has.py "$child" "$(printf 'zweites-wort' | od -An -tx1 | tr -d ' \n')"
	done
	kill $runner
	wait $runner || true
}

@test "a refresh token is exchanged, Basic is answered, wrong passwords are told" {
	fake '{"auth": "refresh"}'
	credentials '{auths: {($h): {identitytoken: "old+one"}}}'
	expect_status 0 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	teardown
	rm "$DIR/ports"
	fake '{"auth": "basic"}'
	credentials '{auths: {("https://" + $h + "/v1/"): {username: "ann", password: "geheim"}}}'
	expect_status 0 glovebox image push "$WORK/out" "$FAKE/a/b:v1"
	credentials '{auths: {($h): {username: "ann", password: "falsch"}}}'
	expect_status 6 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/x.tar"
	[[ $output != *falsch* ]]
	credentials '{auths: {}}'
	expect_status 6 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/x.tar"
	expect_output "docker login"
}

@test "a credential helper is run, with a clean environment" {
	fake '{"auth": "basic"}'
	mkdir "$DIR/bin"
	cat >"$DIR/bin/docker-credential-test" <<END
#!/bin/sh
env >"$DIR/env"
ls /proc/self/fd >"$DIR/fds"
echo "\$1 \$(cat)" >"$DIR/asked"
[ ! -e "$DIR/none" ] || { echo "credentials not found in native keychain"; exit 1; }
[ ! -e "$DIR/broken" ] || exit 3
echo '{"ServerURL":"x","Username":"ann","Secret":"geheim"}'
END
	chmod +x "$DIR/bin/docker-credential-test"
	credentials '{credHelpers: {($h): "test"}}'
	PATH=$DIR/bin:$PATH SECRET_OF_MINE=1 expect_status 0 "$GLOVEBOX" image push "$WORK/out" "$FAKE/a/b:v1" 7<"$WORK/key.pem"
	is "$(cat "$DIR/asked")" "get $FAKE"
	run ! grep -q SECRET_OF_MINE "$DIR/env"
	run ! grep -q 7 "$DIR/fds"
	touch "$DIR/broken"
	PATH=$DIR/bin:$PATH expect_status 2 "$GLOVEBOX" image pull "$FAKE/a/b:v1" -o "$DIR/x.tar"
	touch "$DIR/none"
	PATH=$DIR/bin:$PATH expect_status 6 "$GLOVEBOX" image pull "$FAKE/a/b:v1" -o "$DIR/x.tar"
	rm "$DIR/none" "$DIR/broken"
	expect_status 2 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/x.tar"
	expect_output "docker-credential-test"
	credentials '{credsStore: "../../bin/sh"}'
	expect_status 2 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/x.tar"
	expect_output "cannot be the name"
	rm "$HOME/.docker/config.json"
}

@test "a token service is not spoken to in the clear, unless it is this machine" {
	fake '{"auth": "token", "realm": "http://tokens.example.com/t"}'
	credentials '{auths: {($h): {auth: ("ann:geheim" | @base64)}}}'
	expect_status 6 glovebox image pull "$FAKE/a/b:v1" -o "$DIR/x.tar"
	expect_output "is not https:"
	rm "$HOME/.docker/config.json"
}

@test "a map leads elsewhere; without TLS only to this machine or where it is allowed" {
	expect_status 0 glovebox image push "$WORK/out" registry.example.com/team/mapped:v1 --registry-map "registry.example.com=$REGISTRY"
	is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/team/mapped:v1")" "$digest"
	expect_status 0 glovebox image pull registry.example.com/x/mapped:v1 -o "$DIR/a.tar" \
		--registry-map "registry.example.com=127.0.0.1:1" --registry-map "registry.example.com/x=$REGISTRY/team"
	expect_status 2 glovebox image pull registry.example.com/x/y:v1 -o "$DIR/b.tar" --registry-map "registry.example.com=http://plain.example.com"
	expect_output "not encrypted"
	expect_status 2 glovebox image pull registry.example.com/x/y:v1 -o "$DIR/b.tar" --registry-map "registry.example.com"
	expect_status 2 glovebox image pull library/thing:v1 -o "$DIR/b.tar"
	expect_output "with the registry's host first"
	expect_status 2 glovebox image pull "$REGISTRY/a/b" -o "$DIR/b.tar"
	expect_output "which image?"
	expect_status 2 glovebox image push "$WORK/out" "$REGISTRY/a/b:v1" --platform linux/arm64
	expect_status 2 glovebox image pushh "$WORK/out" "$REGISTRY/a/b:v1"
	expect_output "did you mean 'push'?"
}

@test "with TLS a registry must have a certificate that is trusted" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test -addext subjectAltName=IP:127.0.0.1 \
		-days 2 -keyout "$DIR/tls.key" -out "$DIR/tls.pem" 2>"$DIR/said"
	port=$((40000 + (RANDOM % 20000)))
	cat >"$DIR/registry.yml" <<END
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: $DIR/registry } }
http: { addr: 127.0.0.1:$port, tls: { certificate: $DIR/tls.pem, key: $DIR/tls.key } }
END
	docker-registry serve "$DIR/registry.yml" >"$DIR/registry.log" 2>&1 3>&- &
	export FAKE_PID=$!
	wait_until answers $port
	map="registry.example.com=https://127.0.0.1:$port"
	expect_status 7 glovebox image push "$WORK/out" registry.example.com/a/b:v1 --registry-map "$map"
	expect_output certificate
	SSL_CERT_FILE=$DIR/tls.pem expect_status 0 "$GLOVEBOX" image push "$WORK/out" registry.example.com/a/b:v1 --registry-map "$map"
	SSL_CERT_FILE=$DIR/tls.pem expect_status 0 "$GLOVEBOX" image pull registry.example.com/a/b:v1 -o "$DIR/image.tar" --registry-map "$map"
	cmp "$DIR/image.tar" "$WORK/out/image.tar"
}

@test "a registry that is not there is told with 7 or 6" {
	expect_status 7 glovebox image push "$WORK/out" 127.0.0.1:1/a/b:v1
	expect_status 6 glovebox image pull 127.0.0.1:1/a/b:v1 -o "$DIR/x.tar"
	expect_status 6 glovebox image push "$DIR/none.tar" 127.0.0.1:1/a/b:v1
	head -c 5000 "$WORK/out/image.tar" >"$DIR/cut.tar"
	expect_status 4 glovebox image push "$DIR/cut.tar" 127.0.0.1:1/a/b:v1
}
