#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Promises 9 and 13: nothing lives on, and how a command ended is told exactly. `probe alone` becomes the parent of
# whatever a command leaves behind, so it misses nothing, however it hides.
# shellcheck disable=SC2016  # scripts for the shell in the box
load lib

setup_file() { begin_escape; }
teardown_file() { end_file; }

alone() { "$PROBE" alone "$@"; }

@test "[9] alone sees what is left: the control" {
	expect_status 90 "$PROBE" alone sh -c 'sleep 5 >/dev/null 2>&1 3>&- & exit 0'
	expect_output "is alive"
	expect_status 90 "$PROBE" alone sh -c '(setsid sleep 5 >/dev/null 2>&1 3>&- &) & exit 0'
	expect_status 0 "$PROBE" alone sh -c 'sleep 0.1 & wait'
}

@test "[9] whatever a command starts is dead when exec returns: orphans, sessions, stopped, deaf, held in the kernel" {
	for profile in "${PROFILES[@]}"; do
		expect_status 0 alone "$GLOVEBOX" exec --rootfs "$ROOTFS" --profile "$profile" -- /bin/probe act daemons 32
		expect_output up
	done
}

@test "[9] and when it times out, or is interrupted" {
	expect_status 124 alone "$GLOVEBOX" exec --rootfs "$ROOTFS" --timeout 400ms --grace 100ms -- /bin/probe act crowd 32
	expect_status 143 alone sh -c '"$GLOVEBOX" exec --rootfs "$ROOTFS" --grace 100ms -- /bin/probe act crowd 32 & sleep 0.4; kill $!; wait $!'
}

@test "[9] and when run returns" {
	new_spec "$WORK/run" '/bin/probe act daemons 32 && mkdir made && touch made/twice'
	expect_status 0 alone "$GLOVEBOX" run "$WORK/run/build.yaml" --quiet
}

@test "[9] outputs are read when nobody writes any more: a file moved to and fro is there once" {
	for i in 1 2 3 4 5; do
		expect_status 0 alone "$GLOVEBOX" exec --rootfs "$ROOTFS" --output "/out=$WORK/moved$i" -- /bin/probe act mover /out
		is "$(find "$WORK/moved$i" -name '[ab]' | wc -l)" 1
	done
}

@test "[9] and what grows for ever has one size" {
	expect_status 0 alone "$GLOVEBOX" exec --rootfs "$ROOTFS" --output "/out=$WORK/grown" -- /bin/probe act writer /out/f
	size=$(stat -c %s "$WORK/grown/f")
	[ "$size" -gt 0 ]
	is "$(tr -d x <"$WORK/grown/f" | wc -c)" 0
	sleep 0.2
	is "$(stat -c %s "$WORK/grown/f")" "$size"
}

# At any moment: while namespaces and mounts are made, and while the step runs. check-long asks for more.
@test "[9] kill -9 of exec at random moments: after a second no process and no mount is left" {
	for profile in "${PROFILES[@]}"; do
		run "$PROBE" kills $((${GB_KILLS:-21} / 3)) 200 "$GLOVEBOX" exec --rootfs "$ROOTFS" --profile "$profile" \
			--output "/out=$WORK/never" -- /bin/probe act crowd 50
		echo "# $output"
		is "$status" 0
	done
	[ ! -e "$WORK/never" ]
	# The next run sweeps what is left in the store.
	expect_status 0 box -- true
	is "$(ls -A "$GLOVEBOX_STORE/tmp")" ""
}

@test "[9] kill -9 of run at random moments" {
	new_spec "$WORK/killed" 'exec /bin/probe act crowd 50'
	run "$PROBE" kills "${GB_KILLS:-10}" 600 "$GLOVEBOX" run "$WORK/killed/build.yaml" --no-cache
	echo "# $output"
	is "$status" 0
	expect_status 0 box -- true
	is "$(ls -A "$GLOVEBOX_STORE/tmp")" ""
}

# ends CODE END VALUE COMMAND...: exit status of exec, and what the receipt says.
ends()
{
	local code=$1 end=$2 value=$3 profile
	shift 3
	for profile in "${PROFILES[@]}"; do
		expect_status "$code" box --profile "$profile" --receipt "$WORK/receipt" -- "$@"
		is "$(jq -r '"\(.exitCode) \(.end) \(.code)"' "$WORK/receipt")" "$code $end $value"
	done
}

@test "[13] a command that ends itself by a signal is told from one that exits" {
	ends 137 signaled 9 sh -c 'kill -9 $$; echo alive'
	ends 143 signaled 15 sh -c 'kill -TERM $$; echo alive'
	ends 134 signaled 6 sh -c 'kill -ABRT $$; echo alive'
	ends 139 signaled 11 sh -c 'kill -SEGV $$; echo alive'
	ends 129 signaled 1 sh -c 'kill -HUP $$; echo alive'
	ends 137 exited 137 sh -c 'exit 137'
	ends 124 exited 124 sh -c 'exit 124'
	ends 126 exited 126 sh -c 'exit 126'
	ends 127 exited 127 sh -c 'exit 127'
	ends 255 exited 255 sh -c 'exit 255'
}

@test "[13] a command that stops itself is ended by its timeout" {
	for profile in "${PROFILES[@]}"; do
		expect_status 124 box --profile "$profile" --timeout 300ms --grace 100ms --receipt "$WORK/receipt" -- sh -c 'kill -STOP $$; echo alive'
		is "$(jq -r .end "$WORK/receipt")" timeout
	done
}

@test "[13] the command is not pid 1: what it kills is itself" {
	is "$(box -- sh -c 'echo $$')" 2
	expect_status 137 box -- sh -c 'kill -9 $$; sleep 9; echo alive'
	[[ $output != *alive* ]]
}

@test "[13] what cannot be executed: missing 127, there but not executable 126" {
	local d=$WORK/bad
	mkdir "$d"
	printf '#!/bin/no-such-interpreter\n' >"$d/no-interpreter"
	printf '#!/bin\n' >"$d/directory-as-interpreter"
	printf 'not a program' >"$d/garbage"
	printf '\177ELF' >"$d/short"
	: >"$d/empty"
	: >"$d/plain"
	printf '#!/in/loop\n' >"$d/loop"
	chmod 755 "$d"/* && chmod 644 "$d/plain"
	ln -s nowhere "$d/dangling"
	ln -s self "$d/self"
	tried()
	{
		local code=$1
		shift
		for profile in "${PROFILES[@]}"; do
			expect_status "$code" box --profile "$profile" --ro "$d:/in" --receipt "$WORK/receipt" -- "$@"
			is "$(jq -r .exitCode "$WORK/receipt")" "$code"
		done
	}
	tried 127 no-such-command
	tried 127 /in/none
	tried 127 /in/dangling
	# The kernel says ENOENT of the script, as it would of no script: a shell says 127 or 126; glovebox what execve says.
	tried 127 /in/no-interpreter
	tried 126 /in/plain
	tried 126 /in/plain/below
	tried 126 /in
	tried 126 /in/garbage
	tried 126 /in/short
	tried 126 /in/empty
	tried 126 /in/self
	tried 126 /in/directory-as-interpreter
	tried 126 /in/loop
}

@test "[13] an argument list that is too long, a work directory that is none" {
	expect_status 125 box --workdir /none -- true
	expect_status 125 box --workdir /bin/busybox -- true
	expect_status 125 box --workdir relative -- true
	local long
	long=$(head -c 131072 /dev/zero | tr '\0' x)
	run box --env "LONG=$long" -- true
	[ "$status" = 125 ] || [ "$status" = 126 ]
}

@test "[1] a work directory by a descriptor of the caller's, as runc's CVE-2024-21626 had it" {
	for dir in /proc/self/fd/7 /proc/self/fd/7/.. /proc/self/cwd /proc/1/root /dev/fd/7; do
		for profile in "${PROFILES[@]}"; do
			run bash -c 'cd "$WORK" && exec "$GLOVEBOX" exec --rootfs "$ROOTFS" --profile "$1" --workdir "$0" -- sh -c "ls; ls .." 7<"$WORK"' \
				"$dir" "$profile"
			[[ $output != *rootfs.tar* && $output != *caller* ]]
			[ "$status" = 125 ] || [ "$dir" = /proc/self/cwd ]
		done
	done
}
