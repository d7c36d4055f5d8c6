#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sources by URL and by commit of git, and the lock: from a server that misbehaves, and from repositories that want to run things.
load lib

# serve NAME [CERT KEY]: a server on $WORK/www; its port goes into $WORK/NAME.port.
serve()
{
	local name=$1
	shift
	python3 tests/e2e/server.py "$WORK/www" "$WORK/$name.port" "$@" >/dev/null 2>"$WORK/$name.log" 3>&- &
	echo $! >>"$WORK/pids"
	wait_until test -s "$WORK/$name.port"
}

setup_file()
{
	begin_file
	mkdir -p "$WORK/www/files"
	seq 1 200000 >"$WORK/www/files/data.txt"
	DIGEST=sha256:$(sha256sum <"$WORK/www/files/data.txt" | cut -d' ' -f1)
	SIZE=$(stat -c %s "$WORK/www/files/data.txt")
	serve plain
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost' \
		-keyout "$WORK/tls.key" -out "$WORK/tls.crt" 2>/dev/null
	serve tls "$WORK/tls.crt" "$WORK/tls.key"
	HTTP=http://127.0.0.1:$(cat "$WORK/plain.port")
	HTTPS=https://localhost:$(cat "$WORK/tls.port")
	export DIGEST SIZE HTTP HTTPS
	unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY SSL_CERT_FILE
	export HOME=$WORK/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=c \
		GIT_COMMITTER_EMAIL=c@example.com GIT_COMMITTER_DATE='1700000001 +0100'
	mkdir -p "$HOME"
	git config --global init.defaultBranch main
}

teardown_file()
{
	local pid
	while read -r pid; do kill "$pid" || true; done <"$WORK/pids"
	end_file
}

setup()
{
	export GLOVEBOX_STORE=$BATS_TEST_TMPDIR/store
	T=$(mktemp -d "$WORK/t.XXXXXX")
	chmod 755 "$T"
	# A store of the test's own, where nothing has been fetched.
	export GLOVEBOX_STORE=$T/store
	"$GLOVEBOX" rootfs import tiny "$WORK/rootfs" >/dev/null
}

# spec SOURCES [ROOTFS]: a spec with these sources in $T/build.yaml.
spec()
{
	cat >"$T/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: fetched }
spec:
  ${2-rootfs: { ref: "$ROOTFS" \}}
  sources:
$1
  build:
    command: 'sha256sum \$(find . -type f) >sums'
    artifact: { base: scratch }
END
}

url_source()
{
	printf '    - { name: src, url: "%s", digest: "%s"%s }\n' "$1" "${2:-$DIGEST}" "${3:+, size: $3}"
}

# objects: how many the store has.
objects()
{
	find "$GLOVEBOX_STORE/objects" -type f | wc -l
}

@test "url: a file below its mount, in the plan, the provenance and a reproduction; a second run asks nobody" {
	spec "$(url_source "$HTTP/busy/data.txt?x=1" "$DIGEST" "$SIZE")"
	expect_status 0 glovebox run "$T/build.yaml" --quiet
	is "$(jq -r '.predicate.buildDefinition.resolvedDependencies[] | select(.name == "src") | "\(.uri) \(.digest.sha256)"' "$T/out/provenance.json")" \
		"$HTTP/busy/data.txt?x=1 ${DIGEST#sha256:}"
	skopeo copy -q "oci-archive:$T/out/image.tar" "dir:$T/image"
	for blob in "$T"/image/*; do bsdtar -xOf "$blob" src/sums 2>/dev/null || true; done | grep -q "${DIGEST#sha256:}  ./data.txt"
	before=$(wc -l <"$WORK/www/log")
	expect_status 0 glovebox run "$T/build.yaml" --out "$T/again" --quiet
	expect_status 0 glovebox reproduce "$T/out" --unverified
	is "$(wc -l <"$WORK/www/log")" "$before"
	glovebox plan "$T/build.yaml" | jq -e --arg d "$DIGEST" '.sources[0].fileDigest == $d and .sources[0].bytes == '"$SIZE"
}

@test "url: broken connections are gone on from where they broke" {
	spec "$(url_source "$HTTP/break/data.txt")"
	expect_status 0 glovebox plan "$T/build.yaml"
	is "$(grep -c '^/break/data.txt bytes=' "$WORK/www/log")" 2
}

@test "url: what is not what it should be ends with 6 and is not stored" {
	local before
	before=$(objects)
	spec "$(url_source "$HTTP/wrong/data.txt")"
	expect_status 6 glovebox plan "$T/build.yaml"
	expect_output "not $DIGEST"
	spec "$(url_source "$HTTP/ok/data.txt" "$DIGEST" 5)"
	expect_status 6 glovebox plan "$T/build.yaml"
	spec "$(url_source "$HTTP/ok/none.txt")"
	expect_status 6 glovebox plan "$T/build.yaml"
	expect_output "404: no such thing"
	spec "$(url_source "$HTTP/tofile/data.txt")"
	expect_status 6 glovebox plan "$T/build.yaml"
	expect_output "only https:"
	spec "$(url_source "http://127.0.0.1:1/data.txt")"
	spec "$(url_source "http://registry.example.com/data.txt")"
	expect_status 2 glovebox plan "$T/build.yaml"
	expect_output "not encrypted"
	is "$(objects)" "$before"
	is "$(find "$GLOVEBOX_STORE/tmp" -mindepth 1 -type f | wc -l)" 0
}

@test "url: file: and redirects" {
	spec "$(url_source "file://$WORK/www/files/data.txt")"
	expect_status 0 glovebox plan "$T/build.yaml"
	rm -r "$GLOVEBOX_STORE"
	"$GLOVEBOX" rootfs import tiny "$WORK/rootfs" >/dev/null
	spec "$(url_source "$HTTP/away/data.txt")"
	expect_status 0 glovebox plan "$T/build.yaml"
}

@test "url: TLS is verified, against the file that SSL_CERT_FILE names" {
	spec "$(url_source "$HTTPS/ok/data.txt")"
	expect_status 6 glovebox plan "$T/build.yaml"
	expect_output certificate
	SSL_CERT_FILE=$WORK/tls.crt expect_status 0 glovebox plan "$T/build.yaml"
	rm -r "$GLOVEBOX_STORE"
	"$GLOVEBOX" rootfs import tiny "$WORK/rootfs" >/dev/null
	# Right certificate, wrong host.
	spec "$(url_source "${HTTPS/localhost/127.0.0.1}/ok/data.txt")"
	SSL_CERT_FILE=$WORK/tls.crt expect_status 6 glovebox plan "$T/build.yaml"
}

@test "url: an interrupt ends a transfer that hangs" {
	spec "$(url_source "$HTTP/slow/data.txt")"
	glovebox plan "$T/build.yaml" >/dev/null 2>"$T/log" 3>&- &
	local pid=$!
	wait_until grep -q '^/slow' "$WORK/www/log"
	kill -TERM "$pid"
	wait "$pid" && status=0 || status=$?
	is "$status" 143
}

@test "git: a checkout beside the spec, a bare repository by http, submodules; the same tree, pinned in the provenance" {
	git init -q "$T/r"
	mkdir -p "$T/r/d"
	echo hello >"$T/r/d/f"
	printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' >"$T/r/big.bin"
	ln -s d/f "$T/r/l"
	git -C "$T/r" add -A
	git -C "$T/r" commit -qm one
	git -C "$T/r" tag -am v v1.0.0
	git clone -q --bare "$T/r" "$WORK/www/r.git"
	commit=$(git -C "$T/r" rev-parse HEAD)
	spec "    - { name: src, git: { url: r, commit: $commit } }"
	expect_status 0 glovebox run "$T/build.yaml" --quiet
	is "$(jq -r '.predicate.buildDefinition.resolvedDependencies[] | select(.name == "src") | "\(.uri) \(.digest.gitCommit)"' "$T/out/provenance.json")" \
		"git+file:r $commit"
	expect_status 0 glovebox reproduce "$T/out" --unverified
	tree=$(glovebox plan "$T/build.yaml" | jq -r '.sources[0].digest')
	rm -rf "$T/r/.git"
	is "$tree" "$(glovebox tree "$T/r" --digest)"
	spec "    - { name: src, git: { url: \"$HTTP/git/r.git\", commit: $commit } }"
	is "$(glovebox plan "$T/build.yaml" | jq -r '.sources[0].digest')" "$tree"
	spec "    - { name: src, git: { url: \"$HTTP/git/r.git\", ref: v1.0.0 } }"
	expect_status 2 glovebox plan "$T/build.yaml"
	expect_output "build.yaml:7:7: source 'src' is not pinned: give its commit, or run 'glovebox lock'"
	expect_status 0 glovebox lock "$T/build.yaml"
	grep -q "commit: \"$commit\"" "$T/buildspec.lock"
	is "$(glovebox plan "$T/build.yaml" | jq -r '.sources[0].digest')" "$tree"
	rm -rf "$WORK/www/r.git"
}

@test "git: a repository that only its owner can read" {
	git init -q "$T/r"
	echo hello >"$T/r/f"
	git -C "$T/r" add -A
	git -C "$T/r" commit -qm one
	chmod 700 "$T/r" "$T/r/.git"
	spec "    - { name: src, git: { url: r, commit: $(git -C "$T/r" rev-parse HEAD) } }"
	expect_status 0 glovebox plan "$T/build.yaml"
}

@test "git: a hostile repository runs nothing: only git's own programs are executed" {
	git init -q "$T/r"
	echo hello >"$T/r/f"
	git -C "$T/r" add -A
	git -C "$T/r" commit -qm one
	commit=$(git -C "$T/r" rev-parse HEAD)
	printf '#!/bin/sh\ntouch %s/ran\n' "$T" >"$T/m"
	chmod 755 "$T/m"
	for hook in reference-transaction post-checkout fsmonitor-watchman pre-auto-gc post-index-change; do
		cp "$T/m" "$T/r/.git/hooks/$hook"
	done
	cat >>"$T/r/.git/config" <<END
[core]
	fsmonitor = $T/m
	sshCommand = $T/m
	gitProxy = $T/m
	alternateRefsCommand = $T/m
	hooksPath = $T/r/.git/hooks
[uploadpack]
	packObjectsHook = $T/m
[filter "x"]
	smudge = $T/m
	process = $T/m
[diff "x"]
	textconv = $T/m
[credential]
	helper = $T/m
[includeIf "gitdir:/"]
	path = $T/more
END
	printf '[core]\n\tfsmonitor = %s\n' "$T/m" >"$T/more"
	echo '* filter=x diff=x' >"$T/r/.git/info/attributes"
	spec "    - { name: src, git: { url: r, commit: $commit } }"
	expect_status 0 strace -f -qq -o "$T/trace" -e trace=execve,connect "$GLOVEBOX" plan "$T/build.yaml"
	[ ! -e "$T/ran" ]
	is "$(grep -o 'execve("[^"]*"' "$T/trace" | sort -u | grep -vcE '"(/usr/bin/git|/usr/lib/git-core/git[a-z-]*|/bin/sh|.*/glovebox(-engine)?|/usr/bin/env)"')" 0
	run ! grep -E 'connect\(.*AF_INET' "$T/trace"
	"$T/m"
	[ -e "$T/ran" ]
}

@test "lock: a bare name, a version, a url and a tag are pinned; run, check and reproduce go by it" {
	spec "    - { name: src, url: \"$HTTP/ok/data.txt\" }" 'rootfs: { ref: tiny }'
	expect_status 2 glovebox run "$T/build.yaml" --quiet
	expect_status 0 glovebox check "$T/build.yaml"
	expect_status 0 glovebox lock "$T/build.yaml"
	cp "$T/buildspec.lock" "$T/first"
	expect_status 0 glovebox lock "$T/build.yaml"
	cmp "$T/buildspec.lock" "$T/first"
	is "$(stat -c %u:%a "$T/buildspec.lock")" "$(id -u):644"
	expect_status 0 glovebox run "$T/build.yaml" --quiet
	expect_status 0 glovebox reproduce "$T/out" --unverified
	is "$(jq -r '.predicate.buildDefinition.resolvedDependencies[-1] | "\(.uri) \(.digest.sha256)"' "$T/out/provenance.json")" \
		"file:buildspec.lock $(sha256sum <"$T/buildspec.lock" | cut -d' ' -f1)"
	new_key "$T/key"
	rm -r "$T/out"
	expect_status 0 glovebox run "$T/build.yaml" --quiet --key "$T/key.pem"
	expect_status 0 glovebox verify "$T/out" --key "$T/key.pub.pem"

	sed -i 's/size: /size: 1/' "$T/buildspec.lock"
	for command in run plan check; do
		expect_status 2 glovebox "$command" "$T/build.yaml"
		expect_output "buildspec.lock:11:1: the lines above were changed by hand"
	done
	cp "$T/first" "$T/buildspec.lock"
	sed -i 's/data.txt/other.txt/' "$T/build.yaml"
	expect_status 2 glovebox run "$T/build.yaml"
	expect_output "buildspec.lock:7:5: stale: the spec says something else at 'sources.src' now"

	spec "    - { name: src, path: www }" 'language: tiny
  runtimeVersion: "1"'
	mkdir "$T/www"
	expect_status 2 glovebox lock "$T/build.yaml"
	expect_output "give --rootfs NAME"
	expect_status 0 glovebox lock "$T/build.yaml" --rootfs tiny
	expect_status 0 glovebox run "$T/build.yaml" --out "$T/out2" --quiet
	expect_status 0 glovebox reproduce "$T/out2" --unverified
}
