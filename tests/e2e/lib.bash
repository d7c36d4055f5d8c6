# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the end-to-end tests share: a root filesystem made of one static busybox, imported once for each
# test file, and a spec or two. Tests run as whoever calls, root or not, and leave nothing behind.
bats_require_minimum_version 1.5.0

GLOVEBOX=$(realpath "${GLOVEBOX:-${O:-build}/glovebox}")
export GLOVEBOX
# chroot and the like lie where an ordinary user's PATH may not lead.
export PATH=$PATH:/usr/sbin:/sbin

glovebox()
{
	"$GLOVEBOX" "$@"
}

# begin_file: for setup_file. A work directory of the file's own ($WORK, in reach of the step user when
# root runs this; bats's own directories are not), with a store that holds the root filesystem $ROOTFS.
begin_file()
{
	umask 022
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-e2e.XXXXXX")
	chmod 755 "$WORK"
	export WORK GLOVEBOX_STORE=$WORK/store
	busybox_rootfs "$WORK/rootfs"
	ROOTFS=tiny@$("$GLOVEBOX" rootfs import tiny "$WORK/rootfs" | tail -n 1)
	export ROOTFS
}

# program_for_others: prints a program that another user can start: the checkout may be out of their reach.
program_for_others()
{
	mkdir "$WORK/program"
	cp "$GLOVEBOX" "$GLOVEBOX-engine" "$WORK/program"
	chmod -R go+rX "$WORK/program"
	echo "$WORK/program/glovebox"
}

# end_file: for teardown_file.
end_file()
{
	chmod -R u+rwX "$WORK"
	rm -rf "$WORK"
}

# busybox_rootfs DIR: static busybox under the names of all its applets.
busybox_rootfs()
{
	local busybox
	busybox=$(command -v busybox)
	mkdir -p "$1/bin" "$1/etc"
	cp "$busybox" "$1/bin/busybox"
	# One process, not one for each of 400 names.
	"$busybox" --list | perl -ne 'BEGIN { chdir shift or die } chomp; $_ eq "busybox" or symlink("busybox", $_) or die "$_: $!\n"' "$1/bin"
}

# new_spec DIR [BUILD_COMMAND]: a spec in DIR, with one source file beside it; TESTS, where set, is put in as it is.
new_spec()
{
	mkdir -p "$1"
	echo content >"$1/input.txt"
	cat >"$1/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata:
  name: e2e
spec:
  rootfs:
    ref: $ROOTFS
  build:
    command: '${2:-mkdir -p made && cat input.txt input.txt > made/twice && chmod +x made/twice && ln -s twice made/link}'
    artifact:
      imageName: e2e/made
      base: scratch
      config:
        entrypoint: ["/src/made/twice"]
${TESTS:-}
END
}

# new_key PREFIX: a key pair.
new_key()
{
	"$GLOVEBOX" key generate "$1" >/dev/null
}

# expect_status N COMMAND...: runs it and fails with its output when the status is another.
expect_status()
{
	local want=$1
	shift
	# Not by `run`, which warns of 127: here that can be what is wanted.
	output=$("$@" 2>&1) && status=0 || status=$?
	if [ "$status" -ne "$want" ]; then
		printf 'expected status %d, got %d: %s\n%s\n' "$want" "$status" "$*" "$output" >&2
		return 1
	fi
}

# expect_output TEXT: the output of the last `run` has TEXT in it.
expect_output()
{
	if [[ $output != *"$1"* ]]; then
		printf 'expected in the output: %s\ngot: %s\n' "$1" "$output" >&2
		return 1
	fi
}

# is VALUE EXPECTED: equal.
is()
{
	if [ "$1" != "$2" ]; then
		printf 'expected: %s\ngot:      %s\n' "$2" "$1" >&2
		return 1
	fi
}

# processes_with MARK: ids of processes whose command line holds MARK, but not that of this test. Asked again and again: one process looks.
processes_with()
{
	# shellcheck disable=SC2016  # perl's own $
	MARK=$1 TEST=$$ perl -e 'for (glob "/proc/[0-9]*/cmdline") {
		my ($pid) = /(\d+)/;
		open(my $in, "<", $_) or next;
		local $/;
		my $line = <$in> // next;
		print "$pid\n" if $pid != $ENV{TEST} && index($line =~ tr/\0/ /r, $ENV{MARK}) >= 0;
	}'
}

# new_wait: $WAIT is a command, for a step or a box, that lasts until end_wait; `waits` is true while it does, `waits N` while it does in N places.
new_wait()
{
	# What nothing else on this host sleeps for. Should the test fail, it comes to an end.
	WAIT_MARK=100.1$RANDOM$RANDOM
	# shellcheck disable=SC2034  # the test's own
	WAIT="sleep $WAIT_MARK || :"
}
waits() { [ "$(pgrep -fxc "sleep $WAIT_MARK")" = "${1:-1}" ]; }
end_wait() { pkill -fx "sleep $WAIT_MARK"; }

# wait_until COMMAND...: up to a minute, which is long on a machine that does other things, too.
wait_until()
{
	local i
	for ((i = 0; i < 1200; i++)); do
		! "$@" || return 0
		sleep 0.05
	done
	printf 'did not become true within a minute: %s\n' "$*" >&2
	return 1
}
