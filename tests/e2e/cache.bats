#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The step cache: what is taken from it, what is not, and why.
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	OUT=$DIR/out
	mkdir -p "$DIR"
}

# cached [BUILD [TEST]]: a spec beside its source, so that a change to the spec changes no source.
cached()
{
	mkdir -p "$DIR/src"
	[ -e "$DIR/src/input.txt" ] || echo "content of $BATS_TEST_NUMBER" >"$DIR/src/input.txt"
	cat >"$DIR/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata:
  name: cache-$BATS_TEST_NUMBER
spec:
  rootfs:
    ref: $ROOTFS
  sandbox:
    env: { COLOUR: ${COLOUR:-red} }
    profile: ${PROFILE:-default}
    hostname: ${HOST:-box}
  sources: [{ name: src, path: src }]
  build:
    command: '${1:-cat input.txt > made; cat /proc/sys/kernel/random/uuid > "\$HOME/x"; echo built}'
    timeout: ${TIMEOUT:-60s}
    artifact: { base: scratch }
  tests: [{ name: unit, command: '${2:-cat made}' }]
${MORE:-}
END
}

build() { expect_status 0 glovebox run "$DIR/build.yaml" "$@"; }
# What came of each step: "miss hit".
came() { jq -r '.steps | map(.cache) | join(" ")' "$OUT/result.json"; }
reason() { jq -r ".steps[] | select(.name == \"$1\") | .cacheReason" "$OUT/result.json"; }

@test "a second run takes every step and the image from the cache, and gives the same" {
	cached
	build
	is "$(came)" "miss miss"
	is "$(reason build)" "nothing is recorded of it yet"
	cp -r "$OUT" "$DIR/first"
	build
	expect_output "keep image.tar of the earlier run"
	is "$(came)" "hit hit"
	[[ $(reason build) == "all that it depends on is as it was on "* ]]
	cmp "$OUT/image.tar" "$DIR/first/image.tar"
	diff -r "$OUT/logs" "$DIR/first/logs"
	is "$(jq -S '.steps | map(del(.cache, .cacheReason))' "$OUT/result.json")" \
		"$(jq -S '.steps | map(del(.cache, .cacheReason))' "$DIR/first/result.json")"
	is "$(jq -S .output "$OUT/result.json")" "$(jq -S .output "$DIR/first/result.json")"
	is "$(jq -c .predicate.buildDefinition.internalParameters.cachedSteps "$OUT/provenance.json")" '["build","unit"]'
	is "$(jq -c .predicate.buildDefinition.internalParameters.cachedSteps "$DIR/first/provenance.json")" null
}

@test "what an earlier run left is kept only where it is what this run gives" {
	cached
	build
	cp -r "$OUT" "$DIR/first"
	touch -d 2001-01-01 "$OUT/logs/build.log"
	build
	# The same file, moved: not written anew.
	is "$(stat -c %Y "$OUT/logs/build.log")" "$(date -d 2001-01-01 +%s)"

	# Another content of the same size, another mode, another name, a link, nothing.
	printf 'X' | dd of="$OUT/image.tar" bs=1 seek=600 conv=notrunc status=none
	printf 'X' | dd of="$OUT/logs/build.log" bs=1 conv=notrunc status=none
	chmod 0600 "$OUT/logs/unit.log"
	build
	expect_output "take image.tar from the store"
	cmp "$OUT/image.tar" "$DIR/first/image.tar"
	diff -r "$OUT/logs" "$DIR/first/logs"
	is "$(stat -c %a "$OUT/logs/unit.log" "$OUT/image.tar" | tr '\n' ' ')" "644 644 "
	ln "$OUT/image.tar" "$DIR/other.tar"
	ln "$OUT/logs/build.log" "$DIR/other.log"
	ln -sf /etc/passwd "$OUT/logs/unit.log"
	build
	expect_output "take image.tar from the store"
	is "$(stat -c %h "$OUT/image.tar" "$OUT/logs/build.log" "$OUT/logs/unit.log" | tr '\n' ' ')" "1 1 1 "
	[ ! -L "$OUT/logs/unit.log" ]
	cmp "$OUT/image.tar" "$DIR/other.tar"
	rm -r "$OUT/image.tar" "$OUT/logs"
	ln -s "$DIR/first/logs" "$OUT/logs"
	build
	expect_output "take image.tar from the store"
	[ ! -L "$OUT/logs" ] && [ -s "$DIR/first/logs/build.log" ]
	diff -r "$OUT/logs" "$DIR/first/logs"

	# What a killed run left aside goes, and what a run that fails finds is gone as well.
	mkdir "$OUT/.logs.old" && : >"$OUT/.logs.old/x" && : >"$OUT/.image.tar.old"
	build
	is "$(find "$OUT" -name '.*')" ""
	sed -i 's/cat made/false/' "$DIR/build.yaml"
	expect_status 1 glovebox run "$DIR/build.yaml"
	is "$(find "$OUT" -name '.*')" ""
	[ ! -e "$OUT/image.tar" ]
}

@test "--no-cache runs everything, gives the same image, and records" {
	cached
	build
	cp "$OUT/image.tar" "$DIR/first.tar"
	build --no-cache
	is "$(came)" "miss miss"
	is "$(reason unit)" "--no-cache"
	cmp "$OUT/image.tar" "$DIR/first.tar"
	build
	is "$(came)" "hit hit"
}

@test "caching.enabled: false neither takes nor records" {
	MORE='  caching: { enabled: false }' cached
	build
	is "$(came)" "off off"
	build
	is "$(came)" "off off"
	is "$(jq -c '.steps[0].stepKey' "$OUT/result.json")" null
}

@test "whatever a step can see makes a miss, and the miss says what it was" {
	local what
	cached
	build
	for what in 'COLOUR=blue env COLOUR' 'HOST=other hostname' 'PROFILE=strict profile' 'TIMEOUT=61s limits.timeout'; do
		(
			export "${what%% *}"
			cached
		)
		build
		is "$(came)" "miss miss"
		is "$(reason build)" "changed: ${what#* }"
		cached
		build
		is "$(came)" "hit hit"
	done
	echo other >"$DIR/src/input.txt"
	build
	is "$(reason build)" "changed: source src"
}

@test "another root filesystem is a miss" {
	cached
	build
	busybox_rootfs "$DIR/rootfs"
	echo more >"$DIR/rootfs/etc/more"
	ROOTFS=other@$(glovebox rootfs import other "$DIR/rootfs" | tail -n 1) cached
	build
	is "$(reason build)" "changed: rootfs"
}

@test "a lower limit of the caller's own is a miss" {
	cached
	build
	ulimit -n 512
	build
	is "$(reason build)" "changed: limits.inherited"
}

@test "what the caller has put on itself for good is a miss" {
	cached 'grep Seccomp_filters /proc/self/status; cat /proc/self/coredump_filter; touch made'
	build
	cp "$OUT/logs/build.log" "$DIR/plain"
	expect_status 0 python3 "$BATS_TEST_DIRNAME/deny_calls.py" EPERM swapon -- "$GLOVEBOX" run "$DIR/build.yaml"
	is "$(reason build)" "changed: limits.inherited"
	run ! cmp -s "$OUT/logs/build.log" "$DIR/plain"
	echo 0x7f >/proc/self/coredump_filter
	build
	is "$(reason build)" "changed: limits.inherited"
	run ! cmp -s "$OUT/logs/build.log" "$DIR/plain"
}

@test "a test alone runs on just what the build had left" {
	local look='find . -mindepth 1 -exec stat -c "%n %F %a %h %s %Y" {} + | sort; ls -l --full-time; [ ! -e input.txt ]; [ -p made/fifo ]; [ made/one -ef made/two ]; [ -k made/sticky ]; [ ! -e dir/old ]'
	mkdir -p "$DIR/src/dir" "$DIR/src/deep/er"
	touch "$DIR/src/dir/old" "$DIR/src/deep/er/file"
	local make='mkdir -p made/ro made/sticky; echo 1 > made/one; chmod 700 made/one; ln made/one made/two; ln -s one made/link; ln -s nowhere made/broken; mkfifo made/fifo; chmod 500 made/ro; chmod 1755 made/sticky; rm input.txt; rm -r dir; mkdir dir; echo new > dir/new; chmod 751 deep/er; touch -d @86400 "made/a name
and line"'
	cached "$make" "$look"
	build
	cp "$OUT/logs/unit.log" "$DIR/first.log"
	# Another test, and the first one anew: nothing of it comes from the cache.
	cached "$make" ": again; $look"
	build
	is "$(came)" "hit miss"
	is "$(reason unit)" "changed: command"
	diff "$OUT/logs/unit.log" "$DIR/first.log"
}

@test "a step that fails, is killed or meets a limit is not recorded" {
	local command
	for command in 'exit 3' 'kill -9 $$' 'head -c 9000000 /dev/zero > /tmp/x; exit 1'; do
		cached "$command"
		expect_status 1 glovebox run "$DIR/build.yaml"
		expect_status 1 glovebox run "$DIR/build.yaml"
		is "$(came)" miss
	done
	TIMEOUT=1s cached 'sleep 20'
	expect_status 1 glovebox run "$DIR/build.yaml" --grace 100ms
	expect_status 1 glovebox run "$DIR/build.yaml" --grace 100ms
	is "$(came)" miss
	cached true 'exit 1'
	expect_status 1 glovebox run "$DIR/build.yaml"
	expect_status 1 glovebox run "$DIR/build.yaml"
	is "$(came)" "hit miss"
}

@test "a damaged result is a miss, and is healed" {
	local file
	cached
	build
	for file in "$GLOVEBOX_STORE"/results/step-*; do
		chmod u+w "$file"
		sed -i 's/"how":"exit 0"/"how":"exit 1"/' "$file"
	done
	build
	is "$(came)" "miss miss"
	[[ $(reason build) == "the recorded result cannot be used: "*damaged ]]
	build
	is "$(came)" "hit hit"
}

@test "a result under another key's name is none" {
	local mine other
	cached
	build
	mine=$(jq -r .steps[0].stepKey "$OUT/result.json")
	COLOUR=green cached
	build
	other=$(jq -r .steps[0].stepKey "$OUT/result.json")
	cp --remove-destination -p "$GLOVEBOX_STORE/results/step-${mine#sha256:}" "$GLOVEBOX_STORE/results/step-${other#sha256:}"
	build
	# The build leaves other times than before, so the test is another, too.
	is "$(came)" "miss miss"
	is "$(reason build)" "the recorded result cannot be used: step-${other#sha256:} in the store is damaged"
}

@test "results may all be deleted" {
	cached
	build
	rm -rf "$GLOVEBOX_STORE/results"
	build
	is "$(came)" "miss miss"
	build
	is "$(came)" "hit hit"
}

@test "a damaged image is packed again" {
	cached
	build
	local object
	object=$(jq -r '.image.tarDigest[7:]' "$OUT/result.json")
	object=$GLOVEBOX_STORE/objects/${object:0:2}/${object:2}
	chmod u+w "$object"
	printf X | dd of="$object" conv=notrunc bs=1 seek=600 status=none
	mv "$OUT/image.tar" "$DIR/first.tar"
	build
	expect_output "pack image.tar"
	cmp "$OUT/image.tar" "$DIR/first.tar"
	build
	[[ $output != *"pack image.tar"* ]]
}

@test "an output that is damaged is built again before anybody reads it" {
	local object
	cached 'tr "[:lower:]" "[:upper:]" < input.txt > made'
	build
	object=$(tr "[:lower:]" "[:upper:]" <"$DIR/src/input.txt" | sha256sum)
	object=$GLOVEBOX_STORE/objects/${object:0:2}/${object:2:62}
	chmod u+w "$object"
	printf X | dd of="$object" conv=notrunc bs=1 seek=3 status=none
	cached 'tr "[:lower:]" "[:upper:]" < input.txt > made' 'cat made; : again'
	build
	is "$(came)" "miss miss"
	[[ $(reason build) == "the recorded output cannot be used: objects/"*"its content has another digest" ]]
	is "$(cat "$OUT/logs/unit.log")" "$(tr "[:lower:]" "[:upper:]" <"$DIR/src/input.txt")"
}

@test "reproduce builds again, whatever the cache has" {
	cached 'cat /proc/sys/kernel/random/uuid > made'
	build
	build
	is "$(came)" "hit hit"
	expect_status 4 glovebox reproduce "$OUT" --unverified
	expect_output "the build left another tree"
}

@test "plan --explain-cache says what a run would take" {
	cached
	explain() { glovebox plan "$DIR/build.yaml" --explain-cache | jq -r 'map(.cache + ": " + .reason) | join("; ")'; }
	is "$(explain)" "miss: nothing is recorded of it yet; unknown: it depends on what the build leaves, and the build has to run first"
	build
	[[ $(explain) == "hit: "*"; hit: "* ]]
	cached "" 'cat made; : again'
	[[ $(explain) == "hit: "*"; miss: changed: command" ]]
	MORE='  caching: { enabled: false }' cached
	is "$(explain)" "off: the spec says caching.enabled: false; off: the spec says caching.enabled: false"
}

@test "eight runs at once on one store, all right" {
	local i
	cached
	for i in 1 2 3 4 5 6 7 8; do
		cp -r "$DIR/build.yaml" "$DIR/$i.yaml"
		glovebox run "$DIR/$i.yaml" --out "$DIR/out$i" >"$DIR/log$i" 2>&1 &
	done
	for i in $(jobs -p); do wait "$i"; done
	for i in 2 3 4 5 6 7 8; do cmp "$DIR/out$i/image.digest" "$DIR/out1/image.digest"; done
	build
	is "$(came)" "hit hit"
}
