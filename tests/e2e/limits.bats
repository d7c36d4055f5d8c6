#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each limit: what asks for too much is ended, told by its name and with the documented status, in exec and in run.
# shellcheck disable=SC2016  # scripts for the shell in the box
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

setup() { DIR=$WORK/$BATS_TEST_NUMBER; }

box() { timeout 100 "$GLOVEBOX" exec --rootfs "$ROOTFS" --receipt "$WORK/receipt" "$@"; }

# meets STATUS END NAME VALUE OPTION... -- COMMAND...: exec's account of a limit.
meets()
{
	local want=$1 end=$2 name=$3 value=$4
	shift 4
	expect_status "$want" box "$@"
	is "$(jq -r '"\(.end) \(.limit.name) \(.limit.value) \(.exitCode)"' "$WORK/receipt")" "$end $name $value $want"
	expect_output "its limit $name="
	# The host is as usable as before.
	expect_status 0 box -- true
}

# place: a new empty directory of the step's, for --output.
place()
{
	rm -rf "$WORK/made"
	printf '/out=%s/made' "$WORK"
}

# fails_at TEXT RESOURCES COMMAND: the same of run.
fails_at()
{
	new_spec "$DIR" "$3"
	sed -i "s|^  build:|&\n    resources: $2|" "$DIR/build.yaml"
	expect_status 1 glovebox run "$DIR/build.yaml"
	expect_output "$1"
	jq -e --arg text "$1" '.outcome == "failed" and (.message | contains($text))' "$DIR/out/result.json"
}

# has_cgroup OPTION...: whether this host can enforce what a cgroup is needed for. Where it cannot, it must say so, by name.
has_cgroup()
{
	if box "$@" -- true 2>"$WORK/why"; then
		return 0
	fi
	expect_status 125 box "$@" -- touch /tmp/ran
	expect_output "limit ${1#--}"
	expect_output "no cgroup with a"
	expect_output "uid $(jq -r .sandbox.idMap.uid.outside "$WORK/usual")"
	expect_output best-effort
	is "$(jq -r .end,.exitCode "$WORK/receipt")" $'error\n125'
	return 1
}

@test "output" {
	expect_status 137 bash -c '"$GLOVEBOX" exec --rootfs "$ROOTFS" --output-size 20M --receipt "$0" -- yes | wc -c; exit "${PIPESTATUS[0]}"' \
		"$WORK/receipt"
	expect_output "was ended by its limit output=20000000 bytes"
	expect_output $'\n20000000'
	is "$(jq -r '"\(.end) \(.limit.name) \(.limit.value)"' "$WORK/receipt")" "limited output 20000000"
	fails_at "step 'build' failed: ended by its limit output=20 MiB" "{ output: 20Mi }" yes
	jq -e '.steps[0].limit == {"name": "output", "value": 20971520}' "$DIR/out/result.json"
}

@test "work directory: bytes" {
	meets 137 limited work 52428800 --work-size 50Mi --output "$(place)" -- sh -c 'while :; do head -c 5m /dev/zero >>/out/x; done'
	fails_at "ended by its limit work=50 MiB" "{ work: 50Mi }" "while :; do head -c 5m /dev/zero >>/src/x; done"
}

@test "work directory: files" {
	meets 137 limited workFiles 400 --work-files 400 --output "$(place)" -- \
		sh -c 'mkdir /out/d; cd /out/d; i=0; while :; do i=$((i+1)); : >$i; done'
	fails_at "ended by its limit workFiles=300" "{ workFiles: 300 }" "i=0; while :; do i=\$((i+1)); : >\$i; done"
	# Those that were there already are not the step's.
	new_spec "$DIR/quiet" true
	sed -i 's|^  build:|&\n    resources: { workFiles: 16 }|' "$DIR/quiet/build.yaml"
	for i in $(seq 40); do : >"$DIR/quiet/$i"; done
	expect_status 0 glovebox run "$DIR/quiet/build.yaml"
}

@test "too much of it is not handed over either" {
	mkdir "$WORK/empty"
	meets 137 limited work 1048576 --work-size 1Mi --output "/out=$WORK/empty" --output "/more=$WORK/new" -- \
		sh -c 'head -c 4m /dev/zero >/out/x; : >/more/y'
	is "$(ls -A "$WORK/empty")" ""
	[ ! -e "$WORK/new" ]
}

# full_disk COMMAND: runs it in the box, with a place in a store on a small file system, which nobody else sees.
full_disk()
{
	local private=(unshare -m)
	[ "$(id -u)" = 0 ] || private=(unshare -rm)
	mkdir -p "$DIR/disk"
	timeout 300 "${private[@]}" sh -ec '
		mount -t tmpfs -o size=200m,nr_inodes=20000,mode=0755 tmpfs "$1/disk"
		[ "$(id -u)" != 0 ] || chmod 777 "$1/disk"
		export GLOVEBOX_STORE=$1/disk/store
		"$GLOVEBOX" rootfs import tiny "$2" >/dev/null
		"$GLOVEBOX" exec --rootfs tiny --output "/out=$1/made" --receipt "$1/receipt" -- sh -c "$3"' - "$DIR" "$WORK/rootfs" "$1"
}

@test "a disk that runs full ends at the reserve, whatever the step hides" {
	# Nothing of this can be found by a walk.
	expect_status 137 full_disk 'exec 3>/out/x; rm /out/x; while head -c 1m /dev/zero >&3; do :; done; sleep 60'
	expect_output "was ended by its limit diskReserve="
	jq -e '.limit.name == "diskReserve" and .limit.value > 8000000 and .limit.value <= 10485760' "$DIR/receipt"
	expect_status 137 full_disk 'i=0; while :; do i=$((i+1)); : >/out/$i || sleep 60; done'
	expect_output "was ended by its limit diskReserveFiles="
}

@test "a step that is over it in the end is not let off for being quick" {
	meets 137 limited work 1048576 --work-size 1Mi --output "$(place)" -- sh -c 'head -c 2m /dev/zero >/out/x'
}

@test "/tmp: bytes" {
	meets 1 exited tmp 5242880 --tmp-size 5Mi -- sh -c 'head -c 10m /dev/zero >/tmp/x'
	fails_at "exit 1, at its limit tmp=5 MiB" "{ tmp: 5Mi }" "head -c 10m /dev/zero >/tmp/x"
}

@test "size of a file" {
	meets 137 limited fileSize 1048576 --file-size 1Mi -- dd if=/dev/zero of=/tmp/x bs=1M count=3
	meets 153 exited fileSize 1048576 --file-size 1Mi -- sh -c 'dd if=/dev/zero of=/tmp/x bs=1M count=3; exit $?'
	fails_at "its limit fileSize=1 MiB" "{ fileSize: 1Mi }" "head -c 3m /dev/zero >x"
}

@test "processes: a command that fails of it, and one that would never end" {
	meets 2 exited pids 20 --pids 20 -- sh -c 'while :; do sleep 60 & done'
	meets 137 limited pids 20 --pids 20 -- sh -c 'for i in $(seq 19); do sleep 60 & done; wait'
	fails_at "at its limit pids=20" "{ pids: 20 }" "while :; do sleep 60 & done"
}

@test "open files" {
	is "$(box --files 50 -- sh -c 'ulimit -n')" 50
	is "$(jq -r .sandbox.limits.files.value "$WORK/receipt")" 50
}

@test "memory: hit, or refused before the step starts" {
	box -- true
	cp "$WORK/receipt" "$WORK/usual"
	if has_cgroup --memory 64Mi; then
		meets 137 limited memory 67108864 --memory 64Mi -- sh -c 'head -c 200m /dev/zero | tail -c 150m'
		# Not only the process that the kernel picks.
		meets 137 limited memory 67108864 --memory 64Mi -- sh -c '(head -c 200m /dev/zero | tail -c 150m); sleep 60'
		meets 137 limited memory 67108864 --memory 64Mi -- sh -c 'head -c 200m /dev/zero >/tmp/x; sleep 60'
		fails_at "step 'build' failed: ended by its limit memory=64 MiB" "{ memory: 64Mi }" "head -c 200m /dev/zero | tail -c 150m"
		is "$(box --memory 64Mi -- cat /proc/self/cgroup | cut -d: -f3 | sort -u)" /
	else
		new_spec "$DIR" true
		sed -i 's|^  build:|&\n    resources: { memory: 64Mi }|' "$DIR/build.yaml"
		expect_status 5 glovebox run "$DIR/build.yaml"
		expect_output "step 'build': sandbox: limit memory"
	fi
	no_cgroup_left
}

@test "processors: slowed down, or refused before the step starts" {
	box -- true
	cp "$WORK/receipt" "$WORK/usual"
	if has_cgroup --cpus 0.2; then
		# It would take all of one.
		expect_status 137 box --cpus 0.2 -- sh -c 'timeout -s KILL 1 sh -c "while :; do :; done"'
		jq -e '.userUs + .systemUs < 500000 and .sandbox.limits.cpuMillis.enforced' "$WORK/receipt"
	else
		new_spec "$DIR" true
		sed -i 's|^  build:|&\n    resources: { cpu: "0.2" }|' "$DIR/build.yaml"
		expect_status 5 glovebox run "$DIR/build.yaml"
		expect_output "limit cpu"
	fi
	no_cgroup_left
}

@test "best effort: passed over where it must be, and recorded in receipt and provenance" {
	expect_status 0 box --memory 64Mi --cpus 0.5 --limits best-effort -- true
	jq -e '.sandbox.limits | .memoryBytes.value == 67108864 and .cpuMillis.value == 500 and
		(.memoryBytes.enforced == (.memoryBytes.by != "nothing"))' "$WORK/receipt"
	new_spec "$DIR" 'true'
	sed -i 's|^  build:|  sandbox: { limits: best-effort }\n&\n    resources: { memory: 256Mi, cpu: "1.5" }|' "$DIR/build.yaml"
	expect_status 0 glovebox run "$DIR/build.yaml"
	jq -e '.predicate.buildDefinition.internalParameters.receipt.limits | (.memoryBytes | has("enforced")) and
		.cpuMillis.value == 1500 and .workFiles.enforced' "$DIR/out/provenance.json"
	expect_status 125 box --limits none -- true
	no_cgroup_left
}

@test "a limit of the last test is refused before the build runs, where it cannot be enforced" {
	TESTS='  tests: [{ name: t, command: "true", resources: { memory: 64Mi } }]' new_spec "$DIR" true
	if glovebox run "$DIR/build.yaml" 2>"$WORK/err"; then
		jq -e '.steps[1].receipt.limits.memoryBytes.enforced' "$DIR/out/result.json"
	else
		expect_status 5 glovebox run "$DIR/build.yaml"
		expect_output "step 't': sandbox: limit memory"
		[ ! -e "$DIR/out/logs/build.log" ]
	fi
}

cgroups_of() { find /sys/fs/cgroup -type d -name "glovebox-$1-*" 2>/dev/null || true; }

# Those of runners that this test started are gone; others may be at work beside it.
no_cgroup_left()
{
	local dir pid
	for dir in $(cgroups_of '[0-9]*'); do
		pid=${dir##*/glovebox-}
		pid=${pid%%-*}
		[ -d "/proc/$pid" ] || { echo "left: $dir" >&2; return 1; }
	done
}

asleep() { [ -n "$(processes_with "$MARK")" ]; }

@test "a runner killed with -9 leaves an empty cgroup at most, which the next run takes away" {
	box -- true
	cp "$WORK/receipt" "$WORK/usual"
	if ! has_cgroup --memory 64Mi; then
		# There is none to leave.
		is "$(find /sys/fs/cgroup -user "$(id -u)" -name 'glovebox-*')" ""
		return 0
	fi
	MARK=$((80000 + RANDOM))
	"$GLOVEBOX" exec --rootfs "$ROOTFS" --memory 64Mi -- sleep $MARK &
	pid=$!
	wait_until asleep
	[ -n "$(cgroups_of $pid)" ]
	kill -KILL $pid
	wait $pid || true
	left=$(cgroups_of $pid | sort -u)
	[ -n "$left" ]
	expect_status 0 box --memory 64Mi -- true
	is "$(cgroups_of $pid)" ""
	is "$(processes_with "$MARK")" ""
}
