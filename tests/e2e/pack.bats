#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# glovebox image: pack and inspect.
load lib

setup_file()
{
	begin_file
	mkdir -p "$WORK/tree/bin" "$WORK/tree/share/empty"
	printf '#!/bin/sh\necho hello\n' >"$WORK/tree/bin/hello"
	chmod 755 "$WORK/tree/bin/hello"
	head -c 3000000 /dev/zero | tr '\0' x >"$WORK/tree/share/large"
	ln -s ../bin/hello "$WORK/tree/share/link"
}
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	mkdir -p "$DIR"
}

@test "the same directory gives the same bytes: another day, umask, order of making, processor, user" {
	for how in gzip zstd none; do
		digest=$(glovebox image pack "$WORK/tree" -o "$DIR/$how.tar" --compression "$how")
		(umask 077 && cp -r "$WORK/tree" "$DIR/$how" && touch -d 2001-02-03 "$DIR/$how/bin/hello")
		is "$(taskset -c 0 env TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8 "$GLOVEBOX" image pack "$DIR/$how" --output "$DIR/other.tar" \
			--compression "$how" --store "$DIR/store-$how")" "$digest"
		cmp "$DIR/$how.tar" "$DIR/other.tar"
		is "$(skopeo inspect --format '{{.Digest}}' "oci-archive:$DIR/$how.tar")" "$digest"
	done
	if [ "$(id -u)" = 0 ]; then
		install -d -o 61234 -g 61235 "$DIR/user"
		other=(setpriv --reuid=61234 --regid=61235 --clear-groups)
	else
		mkdir "$DIR/user"
		other=(unshare --user --map-root-user)
	fi
	program=$(program_for_others)
	HOME=$DIR/user "${other[@]}" "$program" image pack "$WORK/tree" -o "$DIR/user/i.tar" --store "$DIR/user/store"
	cmp "$DIR/gzip.tar" "$DIR/user/i.tar"
}

@test "inspect shows the configuration and the layers, the same that skopeo sees" {
	digest=$(glovebox image pack "$WORK/tree" -o "$DIR/i.tar" --to /opt/hello --base "$ROOTFS" --compression zstd --name example/hello:1 \
		--entrypoint /opt/hello/bin/hello --entrypoint -v --cmd x --env A=b=c --env B= --user 7:8 --workdir /opt --label k=v \
		--port 80/tcp --volume /data --stop-signal SIGINT --epoch 1700000000)
	glovebox image inspect "$DIR/i.tar" --json >"$DIR/json"
	is "$(jq -r .digest "$DIR/json")" "$digest"
	jq -e '.config.config == { Entrypoint: ["/opt/hello/bin/hello", "-v"], Cmd: ["x"], Env: ["A=b=c", "B="], User: "7:8", WorkingDir: "/opt",
		Labels: { k: "v" }, ExposedPorts: { "80/tcp": {} }, Volumes: { "/data": {} }, StopSignal: "SIGINT" }' "$DIR/json"
	is "$(jq -r .config.created "$DIR/json")" 2023-11-14T22:13:20Z
	is "$(jq -cS '[.layers[] | { digest, mediaType, size }]' "$DIR/json")" \
		"$(skopeo inspect --raw "oci-archive:$DIR/i.tar" | jq -cS .layers)"
	is "$(jq -c '[.layers[].diffId]' "$DIR/json")" "$(jq -c .config.rootfs.diff_ids "$DIR/json")"
	is "$(jq -c '[.layers[].createdBy]' "$DIR/json")" '["glovebox rootfs","glovebox image pack"]'
	run glovebox image inspect "$DIR/i.tar"
	expect_output "image      $digest"
	expect_output 'entrypoint ["/opt/hello/bin/hello","-v"]'
	expect_output "bytes, tar+zstd, diff ID $(jq -r '.layers[1].diffId' "$DIR/json"), by: glovebox image pack"
	skopeo copy -q "oci-archive:$DIR/i.tar:example/hello:1" "oci:$DIR/layout:x"
}

@test "inspect takes the out directory of a run" {
	new_spec "$DIR/spec"
	glovebox run "$DIR/spec/build.yaml"
	is "$(glovebox image inspect "$DIR/spec/out" --json | jq -r .digest)" "$(cat "$DIR/spec/out/image.digest")"
}

@test "inspect sums up what is in the image, and says what a hardened one would not have" {
	cp -r "$WORK/tree" "$DIR/tree"
	printf '%s\n' '-----BEGIN PRIVATE KEY-----' 'MC4CAQAwBQYDK2VwBCIEIA' '-----END PRIVATE KEY-----' >"$DIR/tree/share/id"
	mkdir "$DIR/tree/app"
	printf '{"name": "left", "version": "1.2.3"}' >"$DIR/tree/app/package.json"
	for how in gzip zstd none; do
		glovebox image pack "$DIR/tree" -o "$DIR/$how.tar" --base "$ROOTFS" --compression "$how" --env APP_TOKEN=x
		glovebox image inspect "$DIR/$how.tar" --json >"$DIR/$how"
		jq 'del(.digest, .config, .configDigest, .layers[].digest, .layers[].size, .layers[].mediaType)' "$DIR/$how" >"$DIR/$how.same"
		cmp "$DIR/$how.same" "$DIR/gzip.same"
	done
	jq -e '.layers[1].contents == { files: 4, directories: 4, links: 1, hardLinks: 0, others: 0, whiteouts: 0, unpackedBytes: '"$(
		find "$DIR/tree" -type f -printf '%s\n' | jq -s add)"' }' "$DIR/gzip"
	is "$(jq '.total.files' "$DIR/gzip")" 5
	jq -e '.biggest[0] == { path: "share/large", size: 3000000, layer: 2 }' "$DIR/gzip"
	jq -e '.packages.list == [{ kind: "npm", name: "left", version: "1.2.3", listed: false }]' "$DIR/gzip"
	is "$(jq -c '[.findings[].id]' "$DIR/gzip")" '["root-user","no-labels","secret-variable","shell","package-manager","private-key"]'
	jq -e '.findings[] | select(.id == "private-key") | .where == ["share/id"]' "$DIR/gzip"
	run glovebox image inspect "$DIR/zstd.tar"
	expect_output "total      5 files"
	expect_output "biggest    3000000 bytes, share/large, layer 2"
	expect_output "packages   1, npm 1"
	expect_output "finding    secret-variable: "
	glovebox image pack "$WORK/tree/share" -o "$DIR/hard.tar" --user 1000 --label org.opencontainers.image.source=https://example.com/x
	is "$(glovebox image inspect "$DIR/hard.tar" --json | jq -c .findings)" '[]'
}

@test "inspect unpacks into TMPDIR, and leaves nothing there" {
	glovebox image pack "$WORK/tree" -o "$DIR/i.tar"
	mkdir "$DIR/tmp"
	TMPDIR=$DIR/tmp glovebox image inspect "$DIR/i.tar"
	is "$(ls -A "$DIR/tmp")" ""
	expect_status 125 env TMPDIR="$DIR/none" "$GLOVEBOX" image inspect "$DIR/i.tar"
	expect_output "TMPDIR"
}

@test "what another tool wrote, or is damaged, is refused" {
	expect_status 6 glovebox image inspect "$DIR/none.tar"
	tar -cf "$DIR/plain.tar" -C "$WORK" tree
	expect_status 4 glovebox image inspect "$DIR/plain.tar"
	glovebox image pack "$WORK/tree" -o "$DIR/i.tar"
	truncate -s -1 "$DIR/i.tar"
	expect_status 4 glovebox image inspect "$DIR/i.tar"
}

@test "nothing is left of a pack that fails, and an older archive stays as it was" {
	echo old >"$DIR/i.tar"
	mkdir "$DIR/odd"
	mkfifo "$DIR/odd/pipe"
	expect_status 6 glovebox image pack "$DIR/odd" -o "$DIR/i.tar"
	expect_output pipe
	is "$(cat "$DIR/i.tar")" old
	is "$(ls -A "$DIR")" $'i.tar\nodd'
	expect_status 6 glovebox image pack "$DIR/not-there" -o "$DIR/i.tar"
	expect_status 2 glovebox image pack "$WORK/tree" -o "$DIR/no/dir/i.tar"
	expect_status 2 glovebox image pack "$WORK/tree" -o "$WORK/tree/share/i.tar"
	expect_output "lies in the directory that is packed"
	[ ! -e "$WORK/tree/share/i.tar" ]
}

@test "options are checked as a spec's fields are" {
	pack=(glovebox image pack "$WORK/tree" -o "$DIR/i.tar")
	for wrong in '--user a:b:c' '--port 70000' '--stop-signal SIGNOPE' '--workdir app' '--to app' '--env 1A=b' '--env A' '--label =x' \
		'--volume data' '--epoch -1' '--epoch 1x' '--epoch 253402300800' '--compression xz' '--base oci:registry.example.com/a' '--bas x'; do
		read -r -a option <<<"$wrong"
		expect_status 2 "${pack[@]}" "${option[@]}"
	done
	expect_status 2 glovebox image pack "$WORK/tree"
	expect_output "give --output"
	expect_status 2 glovebox image push
	expect_output "an argument is missing"
	expect_status 2 glovebox image
	expect_status 0 glovebox image --help
	expect_output "glovebox image inspect IMAGE"
	[ ! -e "$DIR/i.tar" ]
}

@test "a directory is packed without being stored" {
	glovebox image pack "$WORK/tree" -o "$DIR/i.tar" --store "$DIR/store" >/dev/null
	is "$(find "$DIR/store" -type f ! -name version | wc -l)" 0
}

@test "a file that changes while it is packed is refused by name" {
	mkdir "$DIR/moving"
	head -c 200000000 /dev/zero >"$DIR/moving/a"
	echo still >"$DIR/moving/b"
	(while echo x >>"$DIR/moving/a"; do sleep 0.01; done) 2>/dev/null &
	writer=$!
	expect_status 6 glovebox image pack "$DIR/moving" -o "$DIR/i.tar"
	kill "$writer"
	wait "$writer" || true
	expect_output "'a'"
	expect_output changed
	[ ! -e "$DIR/i.tar" ]
}
