#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a command leaves: measured before it is read, taken as it is, and told of where it is not taken.
# shellcheck disable=SC2016  # scripts for the shell in the box
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

setup() { DIR=$WORK/$BATS_TEST_NUMBER; }

# leave STATUS SCRIPT [OPTION...]: exec, with an output that becomes $DIR/made.
leave()
{
	local want=$1 script=$2
	shift 2
	mkdir -p "$DIR"
	rm -rf "$DIR/made"
	expect_status "$want" timeout 100 "$GLOVEBOX" exec --rootfs "$ROOTFS" --receipt "$DIR/receipt" --output "/out=$DIR/made" "$@" \
		-- sh -e -c "cd /out; $script"
}

# receipt FILTER: what jq makes of it.
receipt() { jq -r "$1" "$DIR/receipt"; }

# on_disk FILE...: KiB.
on_disk() { du -skc -- "$@" | tail -n 1 | cut -f 1; }

# too_much LIMIT BYTES ENTRIES LARGEST: the receipt tells so, and nothing was handed over.
too_much()
{
	is "$(receipt '"\(.end) \(.limit.name) \(.limit.left.bytes) \(.limit.left.entries) \(.limit.left.largest.path) \(.exitCode)"')" \
		"limited $1 $2 $3 $4 137"
	expect_output "was ended by its limit $1="
	expect_output "it left $2 bytes in $3 entries, the largest is '$4'"
	[ ! -e "$DIR/made" ]
	is "$(receipt '.outputs | length')" 0
}

@test "a sparse file larger than the work limit is refused before it is read" {
	leave 137 'echo x >small; mkdir d; truncate -s 1G d/big' --work-size 10Mi
	too_much work 1073741826 3 d/big
	# Also beyond the default, and where the sum of sizes is beyond 64 bits.
	leave 137 'for i in $(seq 40); do truncate -s 1G $i; done'
	is "$(receipt '"\(.limit.name) \(.limit.value)"')" "work 34359738368"
	# What the command says of itself is no matter.
	leave 137 'truncate -s 1G big; exit 3' --work-size 10Mi
	[ "$(on_disk "$GLOVEBOX_STORE")" -lt 20000 ]
}

@test "a thousand names of one file are a thousand files" {
	leave 137 'head -c 1000000 /dev/zero >f; for i in $(seq 20); do ln f $i; done' --work-size 10Mi
	too_much work 21000000 21 "$(receipt .limit.left.largest.path)"
	leave 0 'head -c 1000000 /dev/zero >f; for i in $(seq 8); do ln f $i; done' --work-size 10Mi
	is "$(find "$DIR/made" -type f -links 1 | wc -l)" 9
}

@test "more entries than workFiles are refused, by a command that no watch has seen" {
	leave 137 'mkdir d; cd d; for i in $(seq 30); do : >$i; done' --work-files 20
	is "$(receipt '"\(.end) \(.limit.name) \(.limit.value)"')" "limited workFiles 20"
	[ ! -e "$DIR/made" ]
}

@test "outputs count together" {
	expect_status 137 "$GLOVEBOX" exec --rootfs "$ROOTFS" --work-size 10Mi --output "/a=$DIR.a" --output "/b=$DIR.b" -- \
		sh -c 'truncate -s 6M /a/x; truncate -s 6M /b/x'
	[ ! -e "$DIR.a" ]
	[ ! -e "$DIR.b" ]
	expect_status 0 "$GLOVEBOX" exec --rootfs "$ROOTFS" --work-size 10Mi --output "/a=$DIR.a" -- truncate -s 6M /a/x
}

@test "holes stay holes, in the store and outside, with the same content" {
	leave 0 'truncate -s 300M big; printf middle | dd of=big bs=1 seek=150000000 conv=notrunc; printf end >>big'
	is "$(stat -c %s "$DIR/made/big")" 314572803
	[ "$(on_disk "$DIR/made/big")" -lt 1000 ]
	[ "$(on_disk "$GLOVEBOX_STORE/objects")" -lt 20000 ]
	truncate -s 300M "$DIR/same"
	printf middle | dd of="$DIR/same" bs=1 seek=150000000 conv=notrunc status=none
	printf end >>"$DIR/same"
	cmp "$DIR/same" "$DIR/made/big"
}

@test "run refuses more than its work limit, and names it in the result" {
	new_spec "$DIR" "truncate -s 1G /src/big"
	sed -i 's|^  build:|&\n    resources: { work: 10Mi }|' "$DIR/build.yaml"
	truncate -s 20M "$DIR/own"
	expect_status 1 glovebox run "$DIR/build.yaml"
	expect_output "ended by its limit work=10 MiB: it left 1073741824 bytes in 1 entry, the largest is 'big'"
	jq -e '.outcome == "failed" and .steps[0].ok == false and .steps[0].limit.name == "work" and
		.steps[0].limit.left.largest == {"path": "big", "bytes": 1073741824}' "$DIR/out/result.json"
	# What was there before is not the step's; what it wrote to becomes so.
	new_spec "$DIR" "echo more >>/src/input.txt"
	sed -i 's|^  build:|&\n    resources: { work: 10Mi }|' "$DIR/build.yaml"
	expect_status 0 glovebox run "$DIR/build.yaml"
	new_spec "$DIR" "echo more >>/src/own"
	sed -i 's|^  build:|&\n    resources: { work: 10Mi }|' "$DIR/build.yaml"
	expect_status 1 glovebox run "$DIR/build.yaml"
	expect_output "ended by its limit work=10 MiB"
}

@test "exec names what it leaves out of an output" {
	leave 0 'for i in $(seq 20); do mkfifo p$i; done; echo x >kept'
	is "$(ls "$DIR/made")" kept
	is "$(receipt '.outputs[0] | "\(.path) \(.specialFilesDropped) \(.notKept | length) \(.setIdCleared)"')" "/out 20 16 0"
	is "$(receipt '[.outputs[0].notKept[].type] | unique | .[]')" fifo
	expect_output "note: output /out: 20 special files were left out: "
	is "$(grep -c note: <<<"$output")" 1
	is "$(receipt '.outputs[0].tree')" "$(glovebox tree "$DIR/made" --digest)"
	# A hostile name is a name in JSON, and moves no cursor.
	leave 0 'mkfifo "$(printf "a\nb\\\\\033")"'
	is "$(receipt '.outputs[0].notKept[0].path')" 'a\012b\134\033'
	expect_output "'a\\012b\\134\\033' (fifo)"
	# Where all was kept there is nothing to say.
	leave 0 'echo x >kept'
	[[ $output != *note:* ]]
	is "$(receipt '.outputs[0].notKept | length')" 0
}

@test "run names what it leaves out of the build's output" {
	new_spec "$DIR" 'mkfifo pipe; mkdir d; mkfifo d/pipe'
	expect_status 0 glovebox run "$DIR/build.yaml"
	expect_output "note: output of step 'build': 2 special files were left out: "
	jq -e '.output.specialFilesDropped == 2 and ([.output.notKept[] | "\(.path) \(.type)"] | sort) == ["d/pipe fifo", "pipe fifo"]' \
		"$DIR/out/result.json"
	jq -es 'any(.event == "note" and (.text | contains("pipe")))' "$DIR/out/events.jsonl"
}

@test "what a step has closed to itself is refused by name" {
	leave 125 'mkdir -p d/secret; chmod 0 d/secret'
	expect_output "'d/secret'"
	expect_output "chmod u+rX"
	is "$(receipt .end)" error
	leave 125 'echo x >locked; chmod 0 locked'
	expect_output "'locked'"
	[ ! -e "$DIR/made" ]
	new_spec "$DIR" 'mkdir secret; chmod 0 secret'
	expect_status 1 glovebox run "$DIR/build.yaml"
	expect_output "'secret'"
}

@test "names of any bytes come out as they are" {
	leave 0 'echo 1 >"$(printf "\377\n\\\\ x")"; ln -s "$(printf "/\376")" link'
	is "$(cat "$DIR/made/$(printf '\377\n\\ x')")" 1
	is "$(readlink "$DIR/made/link" | od -An -c | tr -d ' ')" '/376\n'
}

# The output is an overlay over an empty directory: what lies there when all is over must be what the command saw last.
@test "removals, renames, hard links and new directories in place of old ones come out right" {
	leave 0 'mkdir -p a/b/c gone/deep old; echo 1 >a/b/c/f; echo 2 >gone/deep/f; echo 3 >old/f; echo 4 >file; ln file hard
		rm -r gone; mv old new; rm new/f; echo 5 >new/g; mv a/b moved; rm -r a; mkdir a; echo 6 >a/own
		echo 7 >was-file; rm was-file; mkdir was-file; mkdir was-dir; rmdir was-dir; ln -s file was-dir; mv file renamed; echo 8 >>hard
		find . | sort >/tmp/seen; find . -type f -exec sha256sum {} + | sort >/tmp/sums; mv /tmp/seen /tmp/sums .'
	is "$(cd "$DIR/made" && find . ! -name seen ! -name sums | LC_ALL=C sort)" "$(cat "$DIR/made/seen")"
	(cd "$DIR/made" && sha256sum --quiet -c sums)
	is "$(cat "$DIR/made/renamed")" $'4\n8'
	is "$(cat "$DIR/made/a/own")" 6
	is "$(readlink "$DIR/made/was-dir")" file
	is "$(find "$DIR/made" -type f -links +1)" ""
	is "$(receipt '.outputs[0].specialFilesDropped')" 0
	[[ $output != *note:* ]]
}

# The same over a source, where an overlay does write down removals: they are no special files.
@test "removals from a source leave nothing behind in the build's output" {
	mkdir -p "$DIR/tree/sub" "$DIR/replaced"
	echo 1 >"$DIR/tree/sub/f"
	echo 2 >"$DIR/replaced/f"
	new_spec "$DIR" 'rm -r tree input.txt; rm -r replaced; mkdir replaced; echo 3 >replaced/new; find . | sort'
	expect_status 0 glovebox run "$DIR/build.yaml"
	jq -e '.output.specialFilesDropped == 0 and .output.notKept == []' "$DIR/out/result.json"
	mkdir "$DIR/unpacked"
	tar -xf "$DIR/out/image.tar" -C "$DIR/unpacked"
	layer=$(jq -r '.layers[-1].digest' "$DIR/unpacked/blobs/sha256/$(jq -r '.manifests[0].digest' "$DIR/unpacked/index.json" | cut -d: -f2)")
	is "$(tar -tf "$DIR/unpacked/blobs/sha256/${layer#sha256:}" | grep -c -e 'tree' -e 'input' -e 'replaced/f')" 0
	tar -tf "$DIR/unpacked/blobs/sha256/${layer#sha256:}" | grep -q replaced/new
}

@test "a command can put no overlay's mark of removal into an output" {
	leave 0 'mknod c c 0 0 || echo refused >answer; [ -e c ] || [ -s answer ]'
	is "$(find "$DIR/made" ! -type f ! -type d)" ""
	[ "$(cat "$DIR/made/answer")" = refused ] || is "$(receipt '.outputs[0].notKept[0].path')" c
}
