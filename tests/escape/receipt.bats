#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Promises 12 and 14: a limit that hits is told from a command that fails, and the receipt says what was in force:
# here it is held against what can be seen inside.
# shellcheck disable=SC2016  # scripts for the shell in the box
load lib

setup_file() { begin_escape; }
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	mkdir "$DIR"
}

# facts PROFILE OPTION...: into $DIR/facts and $DIR/receipt.
facts()
{
	local profile=$1
	shift
	box --profile "$profile" --receipt "$DIR/receipt" "$@" -- /bin/probe act facts >"$DIR/facts"
}

receipt() { jq -er "$1" "$DIR/receipt"; }

@test "[14] [2] no capability, no_new_privs and the filter: as the receipt says" {
	for profile in "${PROFILES[@]}"; do
		facts "$profile"
		receipt '.sandbox | .noNewPrivs and .capabilities == [] and .rootfs == "readOnly"'
		grep -qx 'NoNewPrivs 1' "$DIR/facts"
		grep -qx 'Seccomp 2' "$DIR/facts"
		is "$(grep -cE '^Cap(Inh|Prm|Eff|Bnd|Amb) 0000000000000000$' "$DIR/facts")" 5
	done
}

@test "[14] the namespaces that the receipt names are not the host's" {
	local name
	facts default
	is "$(receipt '.sandbox.namespaces | length')" 7
	for name in user mnt pid net ipc uts cgroup; do
		receipt ".sandbox.namespaces | index(\"$(sed 's/mnt/mount/; s/^net$/network/' <<<$name)\")" >/dev/null
		grep -q "^$name:\[" "$DIR/facts"
		run ! grep -qFx "$(readlink /proc/self/ns/$name)" "$DIR/facts"
	done
	# Nor are two runs' the same.
	cp "$DIR/facts" "$DIR/first"
	new_wait
	box -- sh -c "$WAIT" & # holds its own meanwhile
	box -- sh -c 'for n in user mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done; '"$WAIT" >"$DIR/one" &
	box -- sh -c 'for n in user mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done; '"$WAIT" >"$DIR/two" &
	wait_until waits 3
	end_wait
	wait
	is "$(sort "$DIR/one" "$DIR/two" | uniq -d)" ""
}

@test "[14] the ids that the receipt maps are those inside and outside" {
	facts default --rw "$WORK/live:/live"
	is "$(sed -n 's/^uid \([0-9]*\).*/\1/p' "$DIR/facts")" "$(receipt .sandbox.idMap.uid.inside)"
	box --rw "$WORK/live:/live" -- touch /live/owned
	is "$(stat -c %u "$WORK/live/owned")" "$(receipt .sandbox.idMap.uid.outside)"
	rm -f "$WORK/live/owned"
}

@test "[14] the limits that the receipt names are those inside" {
	facts strict --pids 77
	is "$(receipt .sandbox.limits.files.value)" "$(sed -n 's/^limit7 //p' "$DIR/facts")"
	is "$(receipt .sandbox.limits.fileBytes.value)" "$(sed -n 's/^limit1 //p' "$DIR/facts")"
	is "$(receipt .sandbox.limits.pids.value)" 77
}

@test "[14] Landlock's ABI is the kernel's, and it denies what no filter and no mount would" {
	facts default
	abi=$(receipt '.sandbox.landlock.abi')
	if [ "$abi" -ge 6 ]; then
		# A signal to init is allowed by ids, and by every profile; Landlock's scope refuses it.
		run box -- sh -c 'kill -CONT 1'
		[[ $output == *ermitted* ]]
	fi
	[ "$abi" -gt 0 ]
}

@test "[14] every profile has a digest of its own, and a foreign one is named with its floor" {
	for profile in "${PROFILES[@]}"; do
		facts "$profile"
		receipt .sandbox.seccomp.digest
	done >"$DIR/digests"
	is "$(grep -c '^sha256:' "$DIR/digests")" 3
	is "$(sort -u "$DIR/digests" | wc -l)" 3
	echo 'defaultAction: SCMP_ACT_ALLOW' >"$DIR/all.yaml"
	facts "$DIR/all.yaml"
	receipt '.sandbox | .. | .floor? // empty'
}

@test "[14] what weakens is named: a live directory, a loopback, a lowered nice" {
	box --rw "$WORK/live:/live" --network loopback --receipt "$DIR/receipt" -- true
	receipt '[.. | .live? // empty] | length == 1'
	is "$(receipt .sandbox.network)" loopback
	nice -n 5 "$GLOVEBOX" exec --rootfs "$ROOTFS" --receipt "$DIR/receipt" -- \
		cut -d ' ' -f 19 /proc/self/stat >"$DIR/nice"
	# Where it cannot be undone it is told of.
	is "$(cat "$DIR/nice")" "$(jq -r '[.. | .nice? // empty][0] // 0' "$DIR/receipt")"
}

@test "[14] what this host cannot enforce is an error before the command, never a silent pass" {
	run box --memory 64Mi --rw "$WORK/live:/live" --receipt "$DIR/receipt" -- touch /live/ran
	if [ "$status" = 0 ]; then
		receipt '.sandbox.limits.memoryBytes | .enforced and (.by | startswith("cgroup"))'
	else
		is "$status" 125
		expect_output memory
		[ ! -e "$WORK/live/ran" ]
		# Asked for outright it passes, and the receipt says so.
		expect_status 0 box --memory 64Mi --limits best-effort --receipt "$DIR/receipt" -- true
		receipt '.sandbox.limits.memoryBytes.enforced | not'
	fi
}

@test "[12] a fork bomb meets its limit, and the runner lives" {
	for profile in "${PROFILES[@]}"; do
		run timeout 300 "$GLOVEBOX" exec --rootfs "$ROOTFS" --profile "$profile" --pids 64 --timeout 200s -- /bin/probe run "$profile" 12
		is "$status" 0
		[[ $output == *"ok - 12 fork-bomb: EAGAIN"* ]]
	done
	expect_status 0 box -- true
}

@test "[12] bombs of two runs do not meet: one's processes are not on the other's account" {
	new_wait
	box --pids 60 -- sh -c "i=0; while [ \$i -lt 55 ]; do ${WAIT% ||*} & i=\$((i+1)); done; wait" 2>"$DIR/first" &
	wait_until waits 55
	expect_status 0 box --pids 60 -- sh -c 'i=0; while [ $i -lt 50 ]; do sleep 0.3 & i=$((i+1)); done; wait'
	end_wait
	wait $!
}

@test "[12] inodes of /tmp run out before the host's memory does" {
	run timeout 300 "$GLOVEBOX" exec --rootfs "$ROOTFS" --timeout 200s -- sh -c 'mkdir /tmp/a && cd /tmp/a && seq 1 210000 | xargs -n 5000 touch 2>&1 | tail -n 1'
	expect_output "No space left"
}

@test "[12] endless output ends with the timeout, not with the runner" {
	expect_status 124 bash -c 'set -o pipefail; "$GLOVEBOX" exec --rootfs "$ROOTFS" --timeout 1s --grace 200ms -- yes | tail -n 1'
}
