#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Builds that are not reproducible are found out, and it is told by what and in which file; those that only need not be so are told of.
# shellcheck disable=SC2016  # what is in single quotes are commands of steps
load lib

setup_file()
{
	begin_file
	new_key "$WORK/key"
}
teardown_file() { end_file; }

# build NAME COMMAND: a run of a spec with three files below in/.
build()
{
	new_spec "$WORK/$1" "$2"
	mkdir -p "$WORK/$1/in"
	touch "$WORK/$1/in/a" "$WORK/$1/in/b" "$WORK/$1/in/c"
	expect_status 0 glovebox run "$WORK/$1/build.yaml" --out "$WORK/$1-out" --key "$WORK/key.pem"
}

reproduce() { glovebox reproduce "$WORK/$1-out" --key "$WORK/key.pub.pem" "${@:2}"; }

# found NAME COMMAND: a build that is not reproducible is found to be so, in the file that it made.
found()
{
	build "$1" "$2"
	expect_status 4 reproduce "$1" --vary all --rounds 5
	expect_output "not reproduced"
	expect_output "made"
}

sleeping() { pgrep -fx "sleep $1" >/dev/null; }
gone() { ! sleeping "$1"; }
none_of() { ! pgrep -f -- "$1" >/dev/null; }
swept() { glovebox rootfs list >/dev/null && [ -z "$(ls -A "$GLOVEBOX_STORE/tmp")" ]; }

@test "not reproducible: a date that is compiled in, to the day" {
	found date 'date +%Y-%m-%d > made'
	expect_output "varied: time: 'made' differs"
}

@test "not reproducible: a random name" {
	found name 'echo x > "made-$(head -c 8 /dev/urandom | od -An -tx1 | tr -d " ")"'
}

@test "not reproducible: the order of a directory, of a source's and of one that the build made" {
	found order 'find in -type f > made'
	expect_output "varied: readdir-order: 'made' differs"
	build own 'mkdir d && for i in 1 2 3 4 5 6; do echo > d/$i; done; find d > made'
	expect_status 4 reproduce own --vary readdir-order
	expect_output "varied: readdir-order: 'made' differs"
	build rootfs 'find /bin > made'
	expect_status 4 reproduce rootfs --vary readdir-order
	build sorted 'find in -type f | sort > made; mkdir d; for i in in/*; do echo $i >> d/list; done; rm -rf in'
	expect_status 0 reproduce sorted --vary readdir-order
}

@test "not reproducible: an archive with times" {
	found archive 'echo x > new && tar -cf made new'
}

@test "not reproducible: the seed of a hash" {
	found seed 'awk "BEGIN { srand($(head -c 4 /dev/urandom | od -An -tu4)); print rand() }" > made'
}

@test "not reproducible: a race" {
	found race 'for i in 1 2 3 4 5 6 7 8; do (n=0; while [ $n -lt 3000 ]; do n=$((n+1)); done; echo $i >> made) & done; wait'
}

@test "not reproducible: the load of the host" {
	found load 'cut -d " " -f 1 /proc/loadavg > made'
}

@test "not reproducible: the number of processors, however it is asked for" {
	found cpus 'nproc > made'
	[ "$(nproc)" = 1 ] || expect_output "varied: cpus: 'made' differs"
	build cpuinfo 'grep -c ^processor /proc/cpuinfo > made'
	expect_status 4 reproduce cpuinfo --vary cpus
	build stat 'grep -c ^cpu /proc/stat > made'
	expect_status 4 reproduce stat --vary cpus
}

@test "not reproducible: a process id" {
	found pid 'echo $$ > made'
	expect_output "varied: pids: 'made' differs"
}

@test "not reproducible: a uuid" {
	found uuid 'cat /proc/sys/kernel/random/uuid > made'
}

@test "a build that depends on nothing of the host's passes all, in a file of evidence too" {
	new_spec "$WORK/good" 'cat in/* input.txt > made; find in -type f | sort > list; id -u > uid; hostname > name; pwd > where'
	mkdir "$WORK/good/in"
	touch "$WORK/good/in/a" "$WORK/good/in/b"
	expect_status 0 glovebox run "$WORK/good/build.yaml" --out "$WORK/good-out" --key "$WORK/key.pem" --evidence "$WORK/good.evidence"
	expect_status 0 reproduce good --vary all
	expect_output "reproduced: identical"
	expect_output "varied   cpus, pids, readdir-order, time, load, host-path"
	expect_status 0 glovebox reproduce "$WORK/good.evidence" --key "$WORK/key.pub.pem" --vary host-path,pids --rounds 2 --store "$WORK/other"
	expect_output "varied   host-path, pids (rounds: 2)"
	rm -rf "$WORK/other"
	is "$(ls -A "$GLOVEBOX_STORE/tmp")" ""
}

@test "another user builds it where root asks, and nobody else can" {
	build user 'cat input.txt > made'
	if [ "$(id -u)" = 0 ]; then
		expect_status 0 reproduce user --vary host-uid
		expect_output "varied   host-uid"
		# Two other stores at once, whichever ends first.
		expect_status 0 timeout 120 "$GLOVEBOX" reproduce "$WORK/user-out" --key "$WORK/key.pub.pem" --vary host-path,host-uid
		expect_output "varied   host-path, host-uid"
	else
		expect_status 5 reproduce user --vary host-uid
		expect_output "only root can build as another user"
	fi
	is "$(ls -A "$GLOVEBOX_STORE/tmp")" ""
	# Where the sources are on disk, there is one place that tells: it is really another.
	new_spec "$WORK/told" 'cat /proc/self/uid_map > made'
	sed -i 's/^spec:$/&\n  sandbox: { workdir: disk }/' "$WORK/told/build.yaml"
	expect_status 0 glovebox run "$WORK/told/build.yaml" --out "$WORK/told-out" --key "$WORK/key.pem"
	expect_status 0 reproduce told --vary host-path
	[ "$(id -u)" != 0 ] || expect_status 4 reproduce told --vary host-uid
}

@test "killed, it leaves no process, and nothing of the other store" {
	local mark=$((80000 + RANDOM)) pid
	# Only among other process ids it does not come to its end.
	build long "[ \$\$ -lt 1000 ] || sleep $mark; cat input.txt > made"
	"$GLOVEBOX" reproduce "$WORK/long-out" --key "$WORK/key.pub.pem" --vary all >/dev/null 2>&1 3>&- &
	pid=$!
	wait_until sleeping "$mark"
	kill -KILL $pid
	wait_until gone "$mark"
	wait_until none_of "$WORK/long-out"
	# What was killed is swept by the next; what is another user's goes by itself.
	wait_until swept
}

@test "a round without a variation finds what differs by chance, and tells so" {
	# Each is the same as the first with a chance of one half.
	build chance 'head -c 1 /dev/urandom | od -An -tu1 | awk "{ print \$1 % 2 }" > made'
	expect_status 4 reproduce chance --rounds 30
	expect_output "made"
}

@test "what a build makes anew, leaves out, or fails at, is told by name" {
	build more '[ $(nproc) = 1 ] && [ -e /proc/cpuinfo ] && touch new || touch old; cat input.txt > made'
	expect_status 4 reproduce more --vary cpus --json
	expect_output '"brokenBy": "cpus"'
	expect_output "'new' is new, 'old' is not there"
	build fails "[ \$(date +%s) -lt $(($(date +%s) + 86400)) ]"
	expect_status 4 reproduce fails --vary time
	expect_output "varied: time: step 'build' failed: exit 1"
}

@test "what is fragile is told, and is no failure" {
	build fragile 'pwd > path; id -u > uid; hostname > name; date -d @0 +%H > hour; echo "$LANG" > lang; echo x > made'
	expect_status 0 reproduce fragile --fragile
	for said in "path: 'path' differs" "uid: 'uid' differs" "hostname: 'name' differs" "timezone: 'hour' differs" "locale: 'lang' differs"; do
		expect_output "fragile  $said"
	done
	# One that is asked for by its name decides.
	expect_status 4 reproduce fragile --vary cpus,hostname
	expect_output "varied: hostname: 'name' differs"
	build firm 'cat input.txt > made'
	expect_status 0 reproduce firm --fragile --vary pids
	expect_output "fragile  nothing"
}

@test "variations that are none, and rounds that are none, are wrong usage" {
	build firm 'cat input.txt > made'
	expect_status 2 reproduce firm --vary everything
	expect_output "no variation 'everything'"
	expect_status 2 reproduce firm --vary pids,
	expect_status 2 reproduce firm --vary all,pids
	expect_status 2 reproduce firm --rounds 0
	expect_status 2 reproduce firm --rounds 3x
}

@test "what was reproduced is said under signature, in words of glovebox's own, of an out directory and of evidence" {
	new_spec "$WORK/said" 'cat input.txt > made'
	expect_status 0 glovebox run "$WORK/said/build.yaml" --out "$WORK/said-out" --key "$WORK/key.pem" --evidence "$WORK/said.evidence"
	new_key "$WORK/auditor"
	sign=(--svr "$WORK/svr.json" --svr-key "$WORK/auditor.pem" --verifier-id https://audit.example.com)
	expect_status 0 reproduce said --vary pids,readdir-order "${sign[@]}"
	expect_status 0 tests/e2e/judges/verify-with-openssl.sh "$WORK/svr.json" "$WORK/auditor.pub.pem"
	expect_status 0 node "${O:-build}/judges/verify-bundle.mjs" "$WORK/svr.json" "$WORK/auditor.pub.pem"
	jq -r .dsseEnvelope.payload "$WORK/svr.json" | base64 -d >"$WORK/svr.statement"
	jq -e --slurpfile p "$WORK/said-out/provenance.json" '
		.predicateType == "https://in-toto.io/attestation/svr/v0.2" and .subject == $p[0].subject and
		.predicate.verifier == {"id": "https://audit.example.com", "policies": []} and
		.predicate.properties == ["GLOVEBOX_REPRODUCED_IMAGE", "GLOVEBOX_REPRODUCED_VARIED_PIDS",
			"GLOVEBOX_REPRODUCED_VARIED_READDIR_ORDER"]' "$WORK/svr.statement"
	run ! grep SLSA_BUILD_REPRODUCED "$WORK/svr.statement"
	# A verifier can ask for it.
	expect_status 0 glovebox verify "$WORK/said-out" --key "$WORK/key.pub.pem" --key "$WORK/auditor.pub.pem" \
		--bundle "$WORK/said-out/provenance.sigstore.json" --bundle "$WORK/svr.json" --require provenance,svr
	rm "$WORK/svr.json"
	expect_status 0 glovebox reproduce "$WORK/said.evidence" --key "$WORK/key.pub.pem" --store "$WORK/empty" --fragile "${sign[@]}"
	jq -r .dsseEnvelope.payload "$WORK/svr.json" | base64 -d |
		jq -e '.predicate.properties == ["GLOVEBOX_REPRODUCED_IMAGE", "GLOVEBOX_REPRODUCED_FRAGILE_NOTHING"]'
	rm -rf "$WORK/svr.json" "$WORK/empty"
}

@test "nothing is said of what was not reproduced, or was not checked" {
	build unlike 'cat /proc/sys/kernel/random/uuid > made'
	new_key "$WORK/clerk"
	sign=(--svr "$WORK/none.json" --svr-key "$WORK/clerk.pem" --verifier-id https://audit.example.com)
	expect_status 4 reproduce unlike "${sign[@]}"
	expect_status 2 glovebox reproduce "$WORK/unlike-out" --unverified "${sign[@]}"
	expect_status 2 reproduce unlike --svr "$WORK/none.json"
	expect_output "--svr FILE, --svr-key KEY and --verifier-id URI go together"
	expect_status 2 reproduce unlike --svr "$WORK/none.json" --svr-key "$WORK/clerk.pem" --verifier-id me
	[ ! -e "$WORK/none.json" ]
}
