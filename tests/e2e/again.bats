#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A spec that asks for its build to be run again: one that leaves something else has failed.
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

# spec NAME COMMAND REPRODUCIBLE: one that asks so.
spec()
{
	new_spec "$WORK/$1" "$2"
	sed -i "s/^  build:\$/&\n    reproducible: $3/" "$WORK/$1/build.yaml"
}

run_spec() { glovebox run "$WORK/$1/build.yaml" --out "$WORK/$1-out" "${@:2}"; }

# found NAME FILTER: what result.json says of it.
found() { jq -e ".reproducible | $2" "$WORK/$1-out/result.json"; }

@test "a build that leaves the same passes, from the cache, too" {
	spec good 'cat input.txt > made' '{ check: 3 }'
	expect_status 0 run_spec good
	found good '. == {"ok": true, "rounds": 3, "varied": []}'
	expect_status 0 run_spec good
	is "$(jq -r '.steps[0].cache' "$WORK/good-out/result.json")" hit
	found good '.ok'
	spec varied 'cat input.txt > made' '{ check: 2, vary: [time, hostname, readdir-order, cpus] }'
	[ "$(nproc)" = 1 ] && sed -i 's/, cpus\]/]/' "$WORK/varied/build.yaml"
	expect_status 0 run_spec varied
	found varied '.varied[:3] == ["time", "hostname", "readdir-order"] and .rounds == 1'
}

@test "one that leaves something else has failed, and no test runs, no image is made" {
	TESTS='  tests:
    - name: never
      command: "true"' spec chance 'cat /proc/sys/kernel/random/uuid > made' '{ check: 2 }'
	expect_status 1 run_spec chance
	expect_output "step 'build' is not reproducible: round 2, varied: nothing: 'made' differs"
	found chance '.ok == false and .rounds == 2 and .brokenBy == "nothing"'
	jq -e '.outcome == "failed" and (.steps | length) == 1' "$WORK/chance-out/result.json"
	[ ! -e "$WORK/chance-out/image.tar" ]
	spec name 'hostname > made' '{ check: 2, vary: [pids, hostname] }'
	expect_status 1 run_spec name
	expect_output "round 1, varied: hostname: 'made' differs"
}

@test "what it leaves is told, whatever its name is" {
	# Of a name in such characters the message ends within one.
	# shellcheck disable=SC2016  # for the step's shell
	spec odd 'for i in 1 2 3 4 5; do cat /proc/sys/kernel/random/uuid > "$i$(printf "\360\237\246\212%.0s" $(seq 29))"; done' '{ check: 2 }'
	expect_status 1 run_spec odd
	jq -e '.outcome == "failed" and (.message | endswith("..."))' "$WORK/odd-out/result.json"
}

@test "it cannot ask for what is no variation, or for what this host cannot do" {
	spec none 'true' '{ check: 2, vary: [moon] }'
	expect_status 2 glovebox check "$WORK/none/build.yaml"
}

@test "as whom it is built is not for the spec to say, not even for root's run" {
	spec user true '{ check: 2, vary: [pids, host-uid] }'
	expect_status 3 run_spec user
	expect_output "vary host-uid: only the invocation can ask for another user"
	[ ! -e "$WORK/user-out/image.tar" ]
	# All that a spec can have is the rest.
	spec all 'cat input.txt >made' '{ check: 2, vary: [all] }'
	expect_status 0 run_spec all
	expect_output "not varied: host-uid: only the invocation can ask"
	found all '(.varied | index("host-uid")) == null and (.varied | index("host-path")) != null'
}
