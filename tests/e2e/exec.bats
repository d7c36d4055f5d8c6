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

@test "a failure of glovebox's own is 125, and the receipt says why" {
	expect_status 125 glovebox exec --rootfs nothing --receipt "$WORK/receipt" -- true
	is "$(jq -r .end "$WORK/receipt")" error
	jq -e '.error | contains("nothing")' "$WORK/receipt"
	expect_status 125 box --memory 64Mi -- true
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
