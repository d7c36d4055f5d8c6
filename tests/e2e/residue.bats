#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# However a run ends, no process and no mount is left, and the next run finds clean scratch.
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	# A number that nothing else on this host sleeps for.
	MARK=$((70000 + RANDOM))
	cat /proc/self/mountinfo >"$WORK/mounts"
}

started() { [ -n "$(processes_with "$MARK")" ]; }
gone() { [ -z "$(processes_with "$MARK")" ]; }

# no_residue: at once, but for scratch, which the next run sweeps.
no_residue()
{
	wait_until gone
	diff "$WORK/mounts" /proc/self/mountinfo
	# No process holds a mount of the store's either: nothing names it in its mount table.
	if grep -lsF "$WORK/store" /proc/[0-9]*/mountinfo; then
		echo "a process has mounts of the store" >&2
		return 1
	fi
	glovebox rootfs list >/dev/null
	is "$(ls -A "$WORK/store/tmp")" ""
}

# Ignores what asks it to end.
stubborn="trap \"\" TERM INT HUP;"

@test "after success" {
	new_spec "$DIR" "(setsid sleep $MARK &); (setsid setsid sleep $MARK </dev/null >/dev/null 2>&1 &); exit 0"
	expect_status 0 glovebox run "$DIR/build.yaml"
	gone
	no_residue
}

@test "after a failing step" {
	new_spec "$DIR" "(setsid sleep $MARK &); exit 9"
	expect_status 1 glovebox run "$DIR/build.yaml"
	gone
	no_residue
}

@test "after a timeout" {
	new_spec "$DIR" "$stubborn sleep $MARK & sleep $MARK; sleep $MARK"
	sed -i 's/^  build:/&\n    timeout: 300ms/' "$DIR/build.yaml"
	expect_status 1 glovebox run "$DIR/build.yaml" --grace 200ms
	gone
	no_residue
}

@test "after ^C: SIGTERM, grace, SIGKILL; exit status 130" {
	new_spec "$DIR" "$stubborn sleep $MARK & sleep $MARK; sleep $MARK"
	# A shell's background job ignores SIGINT; glovebox must not inherit that here.
	env --default-signal=INT "$GLOVEBOX" run "$DIR/build.yaml" --grace 300ms 2>"$WORK/err" &
	pid=$!
	wait_until started
	kill -INT $pid
	code=0
	wait $pid || code=$?
	is $code 130
	gone
	no_residue
}

@test "a step may use its grace to end by itself" {
	new_spec "$DIR" "trap \"echo tidied; exit 0\" TERM; sleep $MARK & wait"
	env --default-signal=TERM "$GLOVEBOX" run "$DIR/build.yaml" --grace 60s 2>"$WORK/err" &
	pid=$!
	wait_until started
	SECONDS=0
	kill -TERM $pid
	code=0
	wait $pid || code=$?
	is $code 143
	[ $SECONDS -lt 40 ]
	grep -q tidied "$DIR/out/logs/build.log"
	no_residue
}

@test "a second signal kills at once" {
	new_spec "$DIR" "$stubborn sleep $MARK & sleep $MARK; sleep $MARK"
	env --default-signal=INT "$GLOVEBOX" run "$DIR/build.yaml" --grace 60s 2>"$WORK/err" &
	pid=$!
	wait_until started
	kill -INT $pid
	sleep 0.3
	kill -0 $pid
	SECONDS=0
	kill -INT $pid
	code=0
	wait $pid || code=$?
	is $code 130
	[ $SECONDS -lt 40 ]
	gone
	no_residue
}

# In what time: tests/escape/ends.bats.
@test "after kill -9 of the runner all is gone, and the next run sweeps" {
	new_spec "$DIR" "$stubborn sleep $MARK & sleep $MARK; sleep $MARK"
	"$GLOVEBOX" run "$DIR/build.yaml" 2>"$WORK/err" &
	pid=$!
	wait_until started
	kill -KILL $pid
	wait_until gone
	wait $pid || true
	no_residue
	expect_status 0 glovebox exec --rootfs "$ROOTFS" -- true
}

@test "after kill -9 of exec" {
	"$GLOVEBOX" exec --rootfs "$ROOTFS" -- sh -c "(setsid sleep $MARK &); sleep $MARK" &
	pid=$!
	wait_until started
	kill -KILL $pid
	wait_until gone
	wait $pid || true
	no_residue
}
