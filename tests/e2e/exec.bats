#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# glovebox exec: exit codes, what a command sees, what it may write to.
# shellcheck disable=SC2016  # scripts for the shell in the box
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

box() { glovebox exec --rootfs "$ROOTFS" "$@"; }

@test "the command's own status is passed on" {
	for code in 0 1 7 125 255; do
		expect_status $code box -- sh -c "exit $code"
	done
}

@test "missing is 127, not executable is 126, a signal is 128+n" {
	expect_status 127 box -- no-such-command
	expect_status 127 box -- /bin/no-such-command
	expect_status 126 box -- /bin
	expect_status 126 box -- /etc/hosts
	expect_status 137 box -- sh -c 'kill -9 $$'
	expect_status 143 box -- sh -c 'kill -TERM $$'
	expect_status 134 box -- sh -c 'kill -ABRT $$'
}

@test "a timeout is 124, and the receipt tells it from a command that says 124 itself" {
	expect_status 124 box --timeout 300ms --grace 100ms --receipt "$WORK/receipt" -- sleep 60
	is "$(jq -r .end "$WORK/receipt")" timeout
	expect_status 124 box --receipt "$WORK/receipt" -- sh -c 'exit 124'
	is "$(jq -r .end "$WORK/receipt")" exited
}

@test "a profile of one's own is compiled once, and anew where its program is damaged" {
	glovebox profile show strict >"$WORK/own.yaml"
	for _ in 1 2; do expect_status 1 box --profile "$WORK/own.yaml" -- unshare -n true; done
	expect_output "refused unshare(0x40000000)"
	local made=("$GLOVEBOX_STORE"/derived/profile-*)
	is "${#made[@]}" 1
	chmod u+w "${made[0]}"
	printf X | dd of="${made[0]}" bs=1 seek=200 conv=notrunc status=none
	expect_status 1 box --profile "$WORK/own.yaml" -- unshare -n true
	expect_output "refused unshare(0x40000000)"
	rm -r "$GLOVEBOX_STORE/derived"
	expect_status 1 box --profile "$WORK/own.yaml" -- unshare -n true
}

@test "a failure of glovebox's own is 125, and the receipt says why" {
	expect_status 125 glovebox exec --rootfs nothing --receipt "$WORK/receipt" -- true
	is "$(jq -r .end "$WORK/receipt")" error
	jq -e '.error | contains("nothing")' "$WORK/receipt"
}

@test "output and error go where they belong" {
	box -- sh -c 'echo out; echo err >&2' >"$WORK/out" 2>"$WORK/err"
	is "$(cat "$WORK/out")" out
	is "$(cat "$WORK/err")" err
}

@test "much output arrives whole" {
	is "$(box -- sh -c 'head -c 5000000 /dev/zero' | sha256sum)" "$(head -c 5000000 /dev/zero | sha256sum)"
}

@test "nothing of the caller's environment gets in" {
	run env SECRET=1 LD_PRELOAD= BASH_ENV=/x "$GLOVEBOX" exec --rootfs "$ROOTFS" --env ADDED=2 -- env
	is "$status" 0
	expect_output ADDED=2
	[[ $output != *SECRET* && $output != *BASH_ENV* && $output != *LD_PRELOAD* ]]
	is "$(box -- sh -c 'echo $HOME $TZ $LANG $SOURCE_DATE_EPOCH')" "/build/home UTC C.UTF-8 315532800"
}

@test "no descriptor of the caller's gets in, and standard input is /dev/null" {
	is "$(box -- sh -c 'ls /proc/self/fd | tr "\n" " "' 7</etc/passwd 9>"$WORK/x" </etc/passwd)" "0 1 2 3 "
	is "$(echo secret | box -- cat)" ""
}

@test "umask, signals and limits of the caller do not get in" {
	# Not by a shell: busybox's ignores SIGQUIT itself.
	run bash -c 'trap "" PIPE USR1; exec "$GLOVEBOX" exec --rootfs "$ROOTFS" -- grep -E "SigIgn|SigBlk" /proc/self/status'
	is "$(tr -d ' \t' <<<"$output")" $'SigBlk:0000000000000000\nSigIgn:0000000000000000'
	run bash -c 'umask 077; ulimit -Sn 100; exec "$GLOVEBOX" exec --rootfs "$ROOTFS" -- sh -c "umask; ulimit -n"'
	is "$output" $'0022\n4096'
}

@test "there is no network, or only a loopback of its own" {
	is "$(box -- sh -c 'ip -o addr | wc -l')" 0
	is "$(box --network loopback -- sh -c 'ip -o addr | grep -c 127.0.0.1')" 1
	expect_status 0 box --network loopback -- sh -c 'nc -l -p 4000 -e true & sleep 0.2; nc 127.0.0.1 4000 </dev/null'
}

@test "the root filesystem is read-only, what a command may write to is not" {
	for path in /x /bin/x /etc/x /dev/x /proc/x /sys/x; do
		run box -- touch "$path"
		[ "$status" -ne 0 ]
	done
	for path in /tmp/x /dev/shm/x /build/home/x; do
		expect_status 0 box -- touch "$path"
	done
}

@test "--ro is a snapshot and read-only, --rw is live and recorded, --output is handed over" {
	mkdir "$WORK/in" "$WORK/live"
	chmod 777 "$WORK/live"
	echo in >"$WORK/in/file"
	expect_status 0 box --ro "$WORK/in:/in" --rw "$WORK/live:/live" --output "/out=$WORK/got" --receipt "$WORK/receipt" -- \
		sh -c 'cp /in/file /live/a && cp /in/file /out/b && chmod 4755 /out/b; ! touch /in/x'
	is "$(cat "$WORK/live/a")" in
	is "$(cat "$WORK/got/b")" in
	[ ! -u "$WORK/got/b" ]
	is "$(jq -r '[.. | .live? // empty] | length' "$WORK/receipt")" 1
}

@test "pids are limited" {
	run box --pids 20 -- sh -c 'i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done; wait'
	[ "$status" -ne 0 ] || [[ $output == *"ork"* ]]
}

@test "usage errors are 125 for exec, and name the nearest option" {
	expect_status 125 glovebox exec -- true
	expect_status 125 box --netwrok none -- true
	expect_output "did you mean '--network'"
	expect_status 125 box
}

@test "the receipt names what was in force" {
	box --receipt "$WORK/receipt" -- true
	jq -e '.sandbox | (.namespaces | length == 7) and .noNewPrivs and .capabilities == [] and .rootfs == "readOnly"
		and (.seccomp.digest | startswith("sha256:")) and .network == "none"' "$WORK/receipt"
}

# ---- what a command, or a careless caller, could turn against the host ------------------------------

# mine DIR...: directories that the step user may write to, whoever runs this.
mine()
{
	mkdir -p "$@"
	[ "$(id -u)" != 0 ] || chown "$(stat -c %u:%g "$GLOVEBOX_STORE")" "$@"
}

@test "no output and no receipt inside a live directory: its command could lead them astray" {
	local d=$WORK/astray
	mine "$d" "$d/w" "$d/w/dist"
	mkdir -p "$d/victim/bin"
	expect_status 125 box --rw "$d/w:/w" --output "/out=$d/w/dist/bin" -- \
		sh -c "rmdir /w/dist && ln -s '$d/victim' /w/dist && echo evil >/out/ls"
	expect_output "inside --rw"
	[ -d "$d/w/dist" ] && [ ! -e "$d/victim/bin/ls" ]
	expect_status 125 box --rw "$d/w:/w" --receipt "$d/w/r.json" -- sh -c 'echo forged >/w/r.json'
	expect_output "inside --rw"
	[ ! -e "$d/w/r.json" ]
	ln -s w/dist "$d/link"
	expect_status 125 box --rw "$d/w:/w" --output "/out=$d/link/new" -- true
	expect_output "inside --rw"
	expect_status 0 box --rw "$d/w:/w" --output "/out=$d/beside" --receipt "$d/r.json" -- touch /out/x
	[ -e "$d/beside/x" ]
}

@test "the store is no place for --rw, --output or --receipt" {
	expect_status 125 box --rw "$GLOVEBOX_STORE:/w" -- touch /w/pwned
	expect_output "inside the store"
	expect_status 125 box --rw "$GLOVEBOX_STORE/objects:/w" -- touch /w/pwned
	expect_output "inside the store"
	expect_status 125 box --rw "$WORK:/w" -- touch /w/store/pwned
	expect_output "contains the store"
	expect_status 125 box --output "/o=$GLOVEBOX_STORE/new" -- true
	expect_output "inside the store"
	expect_status 125 box --receipt "$GLOVEBOX_STORE/receipt" -- true
	expect_output "inside the store"
	[ -z "$(find "$GLOVEBOX_STORE" -name pwned -o -name new -o -name receipt)" ]
}

@test "--output takes a new or an empty directory, and an empty one's own mode stays" {
	local d=$WORK/outputs
	mkdir "$d" && mkdir -m 700 "$d/empty" "$d/full" && echo mine >"$d/full/keep"
	local inode
	inode=$(stat -c %i "$d/empty")
	expect_status 0 box --output "/o=$d/empty" -- sh -c 'mkdir -p /o/a/b && echo x >/o/a/b/f && echo y >/o/.g'
	is "$(stat -c %a:%i "$d/empty")" "700:$inode"
	is "$(cat "$d/empty/a/b/f" "$d/empty/.g")" $'x\ny'
	is "$(find "$d/empty" -mindepth 1 -maxdepth 1 | wc -l)" 2
	expect_status 125 box --output "/o=$d/full" -- sh -c 'echo x >/o/f'
	expect_output "not empty"
	is "$(stat -c %a "$d/full"; ls -A "$d/full")" $'700\nkeep'
	expect_status 0 bash -c 'umask 077; exec "$GLOVEBOX" exec --rootfs "$ROOTFS" --output "/o=$0" -- touch /o/f' "$d/private/"
	is "$(stat -c %a "$d/private")" 700
	expect_status 0 bash -c 'mkdir "$0" && cd "$0" && exec "$GLOVEBOX" exec --rootfs "$ROOTFS" --output /o=. -- touch /o/f' "$d/here"
	is "$(ls -A "$d/here")" f
	is "$(ls -A "$d")" $'empty\nfull\nhere\nprivate'
}

@test "a place that cannot be is found before the command" {
	local d=$WORK/places
	mine "$d" "$d/live" && mkdir "$d/both" && ln -s both "$d/link" && touch "$d/file" && mkfifo "$d/fifo"
	refused()
	{
		expect_status 125 box --rw "$d/live:/live" "$@" -- touch /live/ran
		[ ! -e "$d/live/ran" ]
	}
	refused --output "/o=$d/missing/new"
	refused --output "/o=$d/link"
	refused --output "/o=$d/file"
	refused --output "/o=$d/new" --output "/p=$d/new"
	refused --output "/o=$d/both" --output "/p=$d/both/"
	refused --output "/o=$d/both" --output "/p=$d/both/new"
	refused --receipt "$d/missing/r"
	refused --receipt "$d/fifo"
	refused --receipt "$d/link"
	refused --receipt "$d"
	refused --receipt /dev/null
	refused --rw "$d/file:/f"
	for twice in /live /live/x; do
		refused --output "$twice=$d/new"
		expect_output "/live"
		refused --ro "$d/both:$twice"
		refused --rw "$d/both:$twice"
	done
	[ ! -e "$d/new" ]
	expect_status 0 box --output "/o=$d/new" --ro "$d/both:/oo" -- true
}

@test "a receipt appears whole, in place of an older file, and through no link" {
	local d=$WORK/receipts
	mkdir "$d" && echo precious >"$d/target" && ln -s target "$d/link" && echo old >"$d/r" && chmod 600 "$d/r"
	expect_status 125 box --receipt "$d/link" -- true
	is "$(cat "$d/target")" precious
	expect_status 0 box --receipt "$d/r" -- true
	is "$(jq -r .end "$d/r")" exited
	is "$(stat -c %a:%u "$d/r")" "600:$(id -u)"
	# Killed, there is none, rather than that of another run.
	"$GLOVEBOX" exec --rootfs "$ROOTFS" --receipt "$d/r" -- sh -c 'echo up; sleep 60' >"$d/out" & pid=$!
	await "$d/out"
	kill -KILL $pid
	wait $pid || true
	[ ! -e "$d/r" ]
	# With standard output closed, the command's does not land in the receipt.
	expect_status 0 sh -c '"$GLOVEBOX" exec --rootfs "$ROOTFS" --receipt "$0" -- echo forged >&-' "$d/r"
	jq -e . "$d/r"
}

# await FILE: until there is something in it.
await()
{
	for _ in $(seq 100); do
		[ ! -s "$1" ] || return 0
		sleep 0.1
	done
	return 1
}

@test "interrupted or terminated: the receipt has the exit code of the process" {
	local d=$WORK/signals code
	mkdir "$d"
	for signal in INT TERM; do
		rm -f "$d/out"
		# Not by bash's &, which has SIGINT ignored.
		perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$GLOVEBOX" exec --rootfs "$ROOTFS" --receipt "$d/r" -- \
			sh -c 'echo up; sleep 60' >"$d/out" & pid=$!
		await "$d/out"
		kill -$signal $pid
		wait $pid && code=0 || code=$?
		is "$code" $((128 + $(kill -l $signal)))
		is "$(jq -r .end,.exitCode "$d/r")" "cancelled"$'\n'"$code"
	done
}

@test "a signal while inputs are read ends it after the one at hand" {
	local d=$WORK/slow
	mkdir "$d" "$d/in" && mine "$d/live"
	head -c 100000000 /dev/zero >"$d/in/f"
	"$GLOVEBOX" exec --rootfs "$ROOTFS" --ro "$d/in:/a" --ro "$d/in:/b" --ro "$d/in:/c" --rw "$d/live:/live" --receipt "$d/r" -- \
		touch /live/ran & pid=$!
	wait_until reads "$d/in/f" $pid
	kill -TERM $pid
	wait $pid && code=0 || code=$?
	is "$code" 143
	is "$(jq -r .exitCode "$d/r")" 143
	[ ! -e "$d/live/ran" ]
}

# reads FILE PID: whether the process, or one of its children, has the file open.
reads()
{
	local process
	for process in "$2" $(pgrep -P "$2"); do
		! find "/proc/$process/fd" -lname "$1" 2>/dev/null | grep -q . || return 0
	done
	return 1
}

# unread COMMAND...: runs it with its standard output and error going where nobody reads.
unread()
{
	# $^F: the reading end stays open. The alarm is for a test that fails. exec: a signal to this process is one to the command.
	exec perl -e '$^F = 99; pipe(R, W); open(STDOUT, ">&W"); open(STDERR, ">&W"); alarm 60; exec @ARGV' "$@"
}

@test "a reader that does not read holds up neither timeout nor signals" {
	expect_status 124 unread "$GLOVEBOX" exec --rootfs "$ROOTFS" --timeout 500ms --grace 500ms -- yes
	# Nor does one that has come to its end with its output unread.
	expect_status 124 unread "$GLOVEBOX" exec --rootfs "$ROOTFS" --timeout 500ms --grace 500ms -- head -c 100000 /dev/zero
	for command in yes 'head -c 100000 /dev/zero'; do
		unread "$GLOVEBOX" exec --rootfs "$ROOTFS" --grace 300ms --receipt "$WORK/unread" -- sh -c "$command" & pid=$!
		sleep 1
		kill -TERM $pid
		wait $pid && code=0 || code=$?
		is "$code" 143
		is "$(jq -r .exitCode "$WORK/unread")" 143
	done
}

@test "output that does not block loses nothing, and a slow reader gets all" {
	is "$(perl -e 'use Fcntl; pipe(R, W); fcntl(W, F_SETFL, O_NONBLOCK | O_WRONLY);
		if (!fork) { open(STDOUT, ">&W"); exec @ARGV } close W; sleep 1; $n += length while sysread(R, $_, 65536); print $n' \
		"$GLOVEBOX" exec --rootfs "$ROOTFS" -- head -c 1000000 /dev/zero)" 1000000
	is "$(box -- head -c 300000 /dev/zero | (sleep 1; wc -c))" 300000
	is "$(perl -MSocket -e 'socketpair(R, W, AF_UNIX, SOCK_STREAM, 0); if (!fork) { open(STDOUT, ">&W"); exec @ARGV } close W;
		sleep 1; $n += length while sysread(R, $_, 65536); print $n' "$GLOVEBOX" exec --rootfs "$ROOTFS" -- head -c 1000000 /dev/zero)" 1000000
	# The descriptor is the caller's: it blocks after as it did before.
	is "$(perl -MFcntl -e 'pipe(R, W); system("@ARGV >&" . fileno(W)) if fcntl(W, F_SETFD, 0); print fcntl(W, F_GETFL, 0) & O_NONBLOCK' \
		"$GLOVEBOX" exec --rootfs "$ROOTFS" -- true)" 0
}

@test "output that cannot be written on ends the command: 125" {
	for command in yes 'trap "" PIPE TERM; while :; do echo y; done 2>/dev/null'; do
		expect_status 125 bash -c 'set -o pipefail; "$GLOVEBOX" exec --rootfs "$ROOTFS" --grace 300ms --receipt "$0" -- sh -c "$1" | head -n 1' \
			"$WORK/lost" "$command"
		expect_output "could not be written on"
		is "$(jq -r .end,.exitCode "$WORK/lost")" $'error\n125'
	done
	expect_status 125 sh -c '"$GLOVEBOX" exec --rootfs "$ROOTFS" -- echo x >/dev/full'
}

@test "a path that JSON cannot hold is refused at once" {
	mine "$WORK/bytes"
	expect_status 125 box --ro "$WORK/bytes:/"$'\xff' -- true
	expect_output "UTF-8"
	expect_status 125 box --rw "$WORK/bytes:/w"$'\xff' --receipt "$WORK/r" -- true
	expect_status 125 box --output "/w"$'\xff'"=$WORK/bytes" -- true
}
