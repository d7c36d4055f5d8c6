#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# glovebox shell: the sandbox of a step, on a terminal of its own; and the caller's as it was afterwards.
# shellcheck disable=SC2016,SC1003  # for the shell inside
load lib

setup_file()
{
	begin_file
	export TESTS='  tests:
    - name: check
      command: "echo half >made/half && touch left-over && false"'
	new_spec "$WORK/project"
	export SPEC=$WORK/project/build.yaml AT=$BATS_TEST_DIRNAME/on_terminal.py
}
teardown_file() { end_file; }

# at ACT... -- STEP [OPTION...]: glovebox shell of that step, on a terminal
at()
{
	local acts=()
	while [ "$1" != -- ]; do
		acts+=("$1")
		shift
	done
	shift
	"$AT" "${acts[@]}" -- "$GLOVEBOX" shell "$SPEC" "$@"
}

nothing_left()
{
	is "$(ls "$GLOVEBOX_STORE/tmp")" ""
	is "$(processes_with "$SPEC")" ""
}

@test "a shell in the step's sandbox: its user, files, network, environment; its exit status" {
	expect_status 3 at expect '(glovebox build) /src $' type 'id -u; tty; cat input.txt; ls /sys/class 2>&1 | wc -l; echo "$CI-$HOME-$LANG"; touch /no\n' expect Read-only \
		type 'exit 3\n' -- build
	expect_output $'\n1000\n/dev/pts/0\ncontent\n'
	expect_output 'true-/build/home-C.UTF-8'
	nothing_left
}

@test "it says what is writable, and where outputs go" {
	expect_status 0 at expect '$ ' type 'exit\n' -- build
	expect_output 'writable: /src, /tmp, /dev/shm, /build/home; all else is read-only'
	expect_output 'what is left in /src is the output; of this visit nothing is kept'
	expect_output "the step's command: mkdir -p made && cat input.txt"
	expect_status 0 at expect '$ ' type 'exit\n' -- build --quiet
	[[ $output != *writable* ]]
}

@test "nothing of it is kept, and the source is untouched" {
	expect_status 0 at expect '$ ' type 'echo changed >input.txt && rm build.yaml && exit\n' -- build
	is "$(cat "$WORK/project/input.txt")" content
	[ -e "$SPEC" ]
	expect_status 0 at expect '$ ' type 'cat input.txt; exit\n' expect content -- build
}

@test "^C ends what runs, not the shell; ^Z, fg and background jobs work" {
	expect_status 0 at expect '$ ' type 'sh -c "echo be""gin; sleep 100"\n' expect begin type '\x03' expect '$ ' type 'echo af""ter $?\n' expect 'after 130' \
		type 'exit\n' -- build
	expect_status 0 at expect '$ ' type "sh -c 'trap \"echo re\"\"sumed\" CONT; echo be\"\"gin; while :; do sleep 0.2; done'\\n" expect begin type '\x1a' \
		expect Stopped expect '$ ' type 'jobs\n' expect Stopped expect '$ ' type 'fg\n' expect resumed type '\x03' expect '$ ' \
		type 'sleep 0.3 & wait; exit\n' -- build
}

@test "the size is the terminal's, also when it changes, and whoever runs is told" {
	expect_status 0 at expect '$ ' type "stty size; sh -c 'trap \"stty size; exit\" WINCH; echo re\"\"ady; while :; do sleep 0.1; done'; exit\\n" \
		expect '30 100' expect ready size 41 123 expect '41 123' -- build
}

@test "what is typed goes through as it is: end of file, and keys that a terminal would mind" {
	expect_status 0 at expect '$ ' type 'stty raw -echo; echo re""ady; dd bs=1 count=4 2>/dev/null | od -An -tx1; exit\n' expect ready type '\x03\x1a\x11\x1c' \
		expect '03 1a 11 1c' -- build
	expect_status 0 at expect '$ ' type '\x04' -- build
}

@test "much output comes whole" {
	expect_status 0 at expect '$ ' type 'seq 1 60000; exit\n' expect $'\n60000' -- build
	is "$(grep -cE '^[0-9]+$' <<<"$output")" 60000
}

@test "nothing leads to the caller's terminal: no descriptor, no device, nothing can be typed into it" {
	expect_status 0 at expect '$ ' type 'ls /dev/pts; for fd in /proc/self/fd/*; do readlink $fd; done; exit 0\n' -- build
	expect_output $'\n0     ptmx'
	# /dev/tty is how a shell opens its controlling terminal, which is that one.
	is "$(grep -E '^/dev/|^/[a-z]' <<<"$output" | sort -u | xargs)" '/dev/pts/0 /dev/tty'
	# The caller's own terminal has a number in another devpts: whoever types into number 0 inside types to itself.
	cp "${O:-build}/escape-probes" "$WORK/project/probe"
	expect_status 0 at expect '$ ' type './probe run default 1 needle=00; exit\n' -- build
	rm "$WORK/project/probe"
	[[ $output == *'# end'* ]]
	run grep -E '^not ok' <<<"$output"
	# There is a terminal, and a shell in between which counts itself: no more.
	is "$(grep -vE '^not ok - 1 (stdio-terminal|stdin-not-null|controlling-terminal|environment): ' <<<"$output")" ""
}

@test "the terminal is as it was after every end: exit, SIGTERM, SIGHUP, SIGINT, SIGKILL" {
	expect_status 143 at expect '$ ' signal SIGTERM -- build
	expect_status 129 at expect '$ ' signal SIGHUP -- build
	expect_status 130 at expect '$ ' signal SIGINT -- build
	expect_status 137 at expect '$ ' signal SIGKILL -- build
	wait_until nothing_runs
	expect_status 143 at expect '$ ' type 'trap "" HUP TERM; echo re""ady; sleep 60\n' expect ready signal SIGTERM -- build --grace 300ms
	rm -rf "$GLOVEBOX_STORE"/tmp/*
}

@test "what nobody inside has read is not left to the caller's shell" {
	# On SIGTERM the terminal inside hangs up; who does not mind has the grace.
	expect_status 143 at expect '$ ' type 'trap "" HUP TERM; echo re""ady; sleep 60\n' expect ready pause 0.5 signal SIGTERM pause 0.3 \
		type 'for whoever is inside\n' -- build --grace 2s
	# Killed, it cannot see to it itself.
	expect_status 137 at expect '$ ' signal SIGSTOP type 'for whoever is inside\n' signal SIGKILL -- build
	wait_until nothing_runs
	chmod -R u+rwX "$GLOVEBOX_STORE/tmp"
	rm -rf "$GLOVEBOX_STORE"/tmp/*
}

nothing_runs() { [ -z "$(processes_with "$SPEC")" ]; }

@test "a terminal that is closed ends it, with all that runs" {
	at expect '$ ' type 'trap "" HUP; sleep 1000\n' expect 1000 hangup -- build --grace 300ms || true
	wait_until nothing_runs
	glovebox exec --rootfs "$ROOTFS" -- true
	nothing_left
}

@test "with a command after --, and without a terminal: pipes" {
	expect_status 0 glovebox shell "$SPEC" build --quiet -- cat input.txt
	is "$output" content
	expect_status 7 glovebox shell "$SPEC" build -- sh -c 'exit 7'
	is "$(echo typed | glovebox shell "$SPEC" build --quiet -- sh -c 'cat; tty' 2>/dev/null || true)" "not a tty"
	expect_status 5 at -- build -- sh -c 'tty; exit 5'
	expect_output /dev/pts/0
}

@test "a test's sandbox has what the build left" {
	expect_status 0 glovebox shell "$SPEC" check --quiet -- sh -c 'cat made/twice; ls'
	expect_output $'content\ncontent'
	[[ $output != *left-over* ]]
}

@test "--failed: entered as the step left it; a step that passes is said to have" {
	expect_status 0 glovebox shell "$SPEC" check --failed -- sh -c 'ls; cat made/half made/twice; echo more >>made/half'
	expect_output 'step check: exit 1'
	expect_output 'as the failed step left it'
	expect_output left-over
	expect_output $'half\ncontent'
	expect_status 0 glovebox shell "$SPEC" build --failed -- sh -c 'echo entered'
	expect_output 'the step has passed'
	[[ $output != *entered* ]]
	new_spec "$WORK/broken" 'mkdir made && echo partly >made/twice && false'
	SPEC=$WORK/broken/build.yaml expect_status 0 at expect 'exit 1' expect '$ ' type 'cat made/twice; exit\n' expect partly -- build --failed
	expect_status 1 glovebox shell "$WORK/broken/build.yaml" check -- true
	expect_output 'glovebox shell --failed'
	expect_status 0 glovebox shell "$WORK/broken/build.yaml" build --failed --quiet -- cat made/twice
	is "$output" partly
}

@test "what cannot be is refused clearly" {
	expect_status 2 glovebox shell "$SPEC" build </dev/null
	expect_output 'are not a terminal; give a command'
	expect_status 2 glovebox shell "$SPEC" biuld -- true
	expect_output "did you mean 'build'?"
	expect_output 'it has build and check'
	expect_status 2 glovebox shell "$SPEC" build -- no-such-program
	expect_output "the rootfs has no 'no-such-program'"
	expect_status 2 glovebox shell "$SPEC"
	expect_status 2 glovebox shell "$SPEC" build --
}
