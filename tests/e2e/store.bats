#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# glovebox cache stats, verify, gc: what the store has, whether it is true, what of it goes.
load lib

setup()
{
	begin_file
	DIR=$WORK/d
	OUT=$DIR/out
}

teardown() { end_file; }

build() { expect_status 0 glovebox run "$DIR/build.yaml"; }
came() { jq -r '.steps | map(.cache) | join(" ")' "$OUT/result.json"; }
store_has() { glovebox cache stats --json | jq -r ".$1.count"; }
# Path of the object with this content.
object_of()
{
	local hex
	hex=$(printf %s "$1" | sha256sum)
	printf %s "$GLOVEBOX_STORE/objects/${hex:0:2}/${hex:2:62}"
}
# flip FILE: another first byte, the same size and time.
flip()
{
	local time
	time=$(stat -c %y "$1")
	chmod u+w "$1"
	printf '\377' | dd of="$1" conv=notrunc bs=1 status=none
	touch -d "$time" "$1"
	chmod u-w "$1"
}
cleared_away() { glovebox cache gc >/dev/null && [ -z "$(ls -A "$GLOVEBOX_STORE/tmp")" ]; }
clean() { expect_status 0 glovebox cache verify; }

@test "stats counts by kind, for people and machines" {
	new_spec "$DIR"
	build
	is "$(glovebox cache stats --json | jq -r 'keys | join(" ")')" "bytes derived names objects results rootfs trees"
	is "$(store_has names)" 1
	is "$(store_has rootfs)" 1
	[ "$(store_has objects)" = "$(find "$GLOVEBOX_STORE/objects" -type f | wc -l)" ]
	is "$(store_has results)" 3
	expect_status 0 glovebox cache stats
	expect_output "objects"
}

@test "a whole store verifies" {
	new_spec "$DIR"
	build
	clean
	expect_output ": 0 damaged"
	is "$(glovebox cache verify --json | jq -c .damaged)" "[]"
}

@test "a flipped bit in a source's object is found, named with its trees, and healed by the next run" {
	new_spec "$DIR"
	build
	cp "$OUT/image.tar" "$DIR/../first.tar"
	flip "$(object_of $'content\n')"
	local found
	found=$(glovebox cache verify --json 2>/dev/null) && return 1
	is "$(jq -r '.damaged | length' <<<"$found")" 1
	is "$(jq -r '.damaged[0].path' <<<"$found")" "objects/$(printf 'content\n' | sha256sum | sed 's/^\(..\)\(.*\)  -/\1\/\2/')"
	is "$(jq -r '.damaged[0].removed' <<<"$found")" true
	# The source's tree and the output's are both told of.
	is "$(jq -r '.damaged[0].trees | length' <<<"$found")" 2
	clean
	build
	cmp "$OUT/image.tar" "$WORK/first.tar"
	clean
}

@test "a flipped bit in an output's object is found, and the next run builds again" {
	new_spec "$DIR"
	build
	cp "$OUT/image.digest" "$WORK/first"
	flip "$(object_of $'content\ncontent\n')"
	expect_status 4 glovebox cache verify
	expect_output "its content has another digest"
	build
	is "$(came)" miss
	cmp "$OUT/image.digest" "$WORK/first"
	clean
}

@test "a damaged manifest, result and image are found and healed" {
	new_spec "$DIR"
	build
	local file tree
	tree=$(jq -r .output.tree "$OUT/result.json")
	flip "$GLOVEBOX_STORE/trees/${tree#sha256:}"
	expect_status 4 glovebox cache verify
	expect_output "trees/${tree#sha256:}"
	build
	clean
	for file in "$GLOVEBOX_STORE"/results/*; do flip "$file"; done
	expect_status 4 glovebox cache verify
	expect_output "results/step-"
	clean
	build
	clean
	file=$(jq -r '.image.tarDigest[7:]' "$OUT/result.json")
	flip "$GLOVEBOX_STORE/objects/${file:0:2}/${file:2}"
	expect_status 4 glovebox cache verify
	clean
	build
	clean
}

@test "an object of a root filesystem is healed from what is laid out, and the other way round" {
	local busybox laid
	busybox=$(sha256sum "$WORK/rootfs/bin/busybox")
	flip "$GLOVEBOX_STORE/objects/${busybox:0:2}/${busybox:2:62}"
	expect_status 4 glovebox cache verify
	expect_output "(healed)"
	clean
	laid=$GLOVEBOX_STORE/rootfs/${ROOTFS#*sha256:}/root/bin/busybox
	flip "$laid"
	expect_status 4 glovebox cache verify
	expect_output "bin/busybox: its content is not what its tree says (removed)"
	clean
	new_spec "$DIR"
	build
	cmp "$WORK/rootfs/bin/busybox" "$laid"
}

@test "all that can be made anew may be deleted" {
	new_spec "$DIR"
	build
	cp "$OUT/image.tar" "$WORK/first.tar"
	rm -rf "$GLOVEBOX_STORE/derived" "$GLOVEBOX_STORE/results"
	chmod -R u+w "$GLOVEBOX_STORE/rootfs"
	rm -r "$GLOVEBOX_STORE/rootfs/"*
	build
	is "$(came)" miss
	cmp "$OUT/image.tar" "$WORK/first.tar"
	clean
	build
	is "$(came)" hit
}

@test "gc without options keeps what is younger than 30 days" {
	new_spec "$DIR"
	build
	local before
	before=$(store_has objects)
	expect_status 0 glovebox cache gc
	is "$(store_has objects)" "$before"
	build
	is "$(came)" hit
	find "$GLOVEBOX_STORE" -type f -not -path '*/rootfs/*' -exec touch -d '40 days ago' {} +
	expect_status 0 glovebox cache gc --json
	is "$(store_has results)" 0
	is "$(store_has trees)" 1
	build
	is "$(came)" miss
	clean
}

@test "gc removes what nobody has used, never what has a name" {
	new_spec "$DIR"
	build
	expect_status 0 glovebox cache gc --max-age 0 --dry-run --json
	is "$(jq -r .dryRun <<<"$output")" true
	local would
	would=$(jq -c .removed <<<"$output")
	expect_status 0 glovebox cache gc --max-age 0 --json
	is "$(jq -c .removed <<<"$output")" "$would"
	is "$(store_has results)" 0
	is "$(store_has trees)" 1
	is "$(store_has objects)" "$(jq -r .kept.objects.count <<<"$output")"
	clean
	expect_status 0 glovebox exec --rootfs "$ROOTFS" -- /bin/true
	build
	is "$(came)" miss
	build
	is "$(came)" hit
}

@test "gc by size keeps the latest used" {
	local i
	for i in 1 2 3; do
		new_spec "$DIR/$i" "head -c 1000000 /dev/urandom > made"
		rm "$DIR/$i/input.txt"
		echo "$i" >"$DIR/$i/input.txt"
		glovebox run "$DIR/$i/build.yaml"
		[ "$i" = 3 ] || find "$GLOVEBOX_STORE/objects" "$GLOVEBOX_STORE/trees" "$GLOVEBOX_STORE/results" -type f -newer "$WORK/mark$((i - 1))" \
			-exec touch -d "$((5 - i)) hours ago" {} + 2>/dev/null || true
		touch "$WORK/mark$i"
	done
	local all
	all=$(glovebox cache stats --json | jq .bytes)
	expect_status 0 glovebox cache gc --max-size $((all - 1500000)) --json
	[ "$(glovebox cache stats --json | jq .bytes)" -le $((all - 1500000)) ]
	OUT=$DIR/3/out
	expect_status 0 glovebox run "$DIR/3/build.yaml"
	is "$(came)" hit
	clean
}

@test "what a run's evidence needs is not collected while its step runs" {
	umoci init --layout "$WORK/base"
	umoci new --image "$WORK/base:v1"
	umoci insert --rootless --image "$WORK/base:v1" "$WORK/rootfs/etc" /etc
	tar -C "$WORK/rootfs" -cf "$WORK/more.tar" etc
	new_wait
	new_spec "$DIR" "touch made; $WAIT"
	sed -i -e "s|base: scratch|base: oci:$WORK/base@$(jq -r '.manifests[0].digest' "$WORK/base/index.json")|" \
		-e "/^spec:/a\\  sources: [{ name: src, path: . }, { name: more, url: 'file://$WORK/more.tar', digest: 'sha256:$(sha256sum <"$WORK/more.tar" | cut -c-64)', unpack: true }]" \
		"$DIR/build.yaml"
	chmod -R go+rX "$WORK/base" "$WORK/more.tar"
	glovebox run "$DIR/build.yaml" --evidence "$WORK/evidence" >"$WORK/log" 2>&1 &
	local runner=$!
	wait_until waits
	expect_status 0 glovebox cache gc --max-age 0
	kill -0 "$runner"
	end_wait
	wait "$runner" || { cat "$WORK/log"; false; }
	[ -s "$WORK/evidence" ]
}

@test "what a run uses while its step runs is not collected" {
	new_wait
	TESTS='  tests: [{ name: unit, command: "cat made/twice" }]' \
		new_spec "$DIR" "cat input.txt input.txt > made; $WAIT; rm made; mkdir made; cp input.txt made/twice"
	# With a key: its process lives as long as the run, and must not hold the store either.
	new_key "$WORK/key"
	glovebox run "$DIR/build.yaml" --key "$WORK/key.pem" >"$WORK/log" 2>&1 &
	local runner=$!
	wait_until waits
	expect_status 0 glovebox cache gc --max-age 0
	kill -0 "$runner"
	expect_status 0 glovebox cache verify
	end_wait
	wait "$runner"
	clean
	[ -s "$OUT/image.tar" ]
	# Neither is what exec runs on.
	glovebox rootfs remove tiny
	glovebox exec --rootfs "${ROOTFS#*@}" -- /bin/sh -c "$WAIT; exec /bin/echo still here" >"$WORK/echo" &
	runner=$!
	wait_until waits
	expect_status 0 glovebox cache gc --max-age 0
	end_wait
	wait "$runner"
	is "$(cat "$WORK/echo")" "still here"
}

@test "kill -9 in the middle leaves a store that verifies, and gc clears the rest away" {
	local i
	new_spec "$DIR" 'cat input.txt > made; head -c 3000000 /dev/urandom > big'
	for i in 0.02 0.05 0.1 0.15 0.2 0.25 0.3 0.4; do
		glovebox run "$DIR/build.yaml" --no-cache >/dev/null 2>&1 &
		sleep "$i"
		kill -9 $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		clean
	done
	touch "$GLOVEBOX_STORE/results/.glovebox-0123.tmp"
	wait_until cleared_away
	is "$(find "$GLOVEBOX_STORE" -name '.glovebox-*')" ""
	build
	clean
}

@test "runs, kills and collections at once on one store" {
	local i pids=()
	for i in 1 2 3 4 5 6 7 8; do
		new_spec "$DIR/$i" "cat input.txt > made; sleep 0.$i"
		echo "$((i % 3))" >"$DIR/$i/input.txt"
		glovebox run "$DIR/$i/build.yaml" >"$WORK/log$i" 2>&1 &
		pids[i]=$!
	done
	for i in 1 2 3 4; do expect_status 0 glovebox cache gc --max-age 0; done
	kill -9 "${pids[8]}" 2>/dev/null || true
	for i in 1 2 3 4 5 6 7; do
		wait "${pids[i]}" || { cat "$WORK/log$i" >&2; return 1; }
		[ -s "$DIR/$i/out/image.tar" ]
	done
	wait "${pids[8]}" 2>/dev/null || true
	clean
	# What the killed run had started ends with it, within a second; its scratch goes then, and not before.
	wait_until cleared_away
}

@test "what is no option, age or size is refused" {
	expect_status 2 glovebox cache
	expect_status 2 glovebox cache gc --max-age soon
	expect_status 2 glovebox cache gc --max-size much
	expect_status 2 glovebox cache sweep
}

@test "several commands at once make one store of a new directory" {
	local i k pids
	for ((i = 0; i < 15; i++)); do
		pids=()
		for k in 1 2 3 4; do
			GLOVEBOX_STORE=$WORK/new$i glovebox rootfs list &
			pids+=($!)
		done
		for k in "${pids[@]}"; do
			wait "$k"
		done
	done
}
