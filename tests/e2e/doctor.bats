#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Hosts that deny a sandbox, each made for real: doctor names cause and cure and ends with 5, and exec and run say the same.
# shellcheck disable=SC2016  # throughout: for the shell inside
load lib

setup_file()
{
	begin_file
	new_spec "$WORK/spec"
	GLOVEBOX=$(program_for_others)
	cp "$BATS_TEST_DIRNAME/deny_calls.py" "$WORK" # within reach of everybody
	export HERE=$BATS_TEST_DIRNAME
}
teardown_file() { end_file; }

# Root's own store belongs to a step user that a user namespace of root's does not map: so this is the step user's work.
setup()
{
	export LIMITS=--limits=best-effort EXEC_OPTIONS=''
	export -f in_userns in_mounts bind_all as_step
}

as_step()
{
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid="$(stat -c %u "$GLOVEBOX_STORE")" --regid="$(stat -c %g "$GLOVEBOX_STORE")" --clear-groups "$@"
	else
		"$@"
	fi
}

# in_userns SCRIPT COMMAND...: the script, in a user namespace of its own, ends in the command.
in_userns()
{
	local script=$1
	shift
	as_step unshare --user --map-root-user bash -euc "$script"'; exec "$@"' sh "$@"
}

# in_mounts SCRIPT COMMAND...: the same in a mount namespace; an ordinary user has to be its root for that.
in_mounts()
{
	local script=$1 user=(--user --map-root-user)
	shift
	[ "$(id -u)" != 0 ] || user=()
	unshare "${user[@]}" --mount --propagation private bash -euc "$script"'; exec "$@"' sh "$@"
}

# bind_all: the host's root once more, in a directory that is no mount point itself.
bind_all()
{
	local name
	mkdir -p "$WORK/jail"
	for name in /*; do
		if [ -L "$name" ]; then
			ln -sf "$(readlink "$name")" "$WORK/jail$name"
		elif [ -d "$name" ]; then
			mkdir -p "$WORK/jail$name"
			mount --rbind "$name" "$WORK/jail$name"
		fi
	done
}

# tell COMMAND...: what doctor, exec and run say on the host that COMMAND makes before it starts what is added to it.
tell()
{
	cat >"$WORK/commands" <<-'END'
		status() { "$@" && echo 0 || echo $?; }
		status "$GLOVEBOX" doctor --json $LIMITS >"$WORK/told/doctor.json"
		status "$GLOVEBOX" doctor $LIMITS >"$WORK/told/doctor.text"
		status "$GLOVEBOX" exec --rootfs "$ROOTFS" $EXEC_OPTIONS -- /bin/true >"$WORK/told/exec.text" 2>&1
		status "$GLOVEBOX" run --quiet --no-cache --out "$WORK/told/out" "$WORK/spec/build.yaml" >"$WORK/told/run.text" 2>&1
	END
	rm -rf "$WORK/told"
	mkdir -m 777 "$WORK/told"
	"$@" bash "$WORK/commands"
}

# said FILE: all that a command said, but for its exit status, which is the last line; code FILE: that one.
said() { head -n -1 "$WORK/told/$1"; }
code() { tail -n 1 "$WORK/told/$1"; }

# finding NAME FIELD
finding()
{
	said doctor.json | jq -r --arg name "$1" ".checks[] | select(.name == \$name).$2"
}

# expect_denied NAME CAUSE CURE [COMMAND...]: doctor says so, and each COMMAND says it in the same words.
expect_denied()
{
	local name=$1 cause=$2 cure=$3 message command
	shift 3
	is "$(code doctor.json) $(code doctor.text)" "5 5" || { cat "$WORK"/told/doctor.* >&2; return 1; }
	is "$(finding "$name" state)" denied
	is "$(finding "$name" cause)" "$cause"
	message=$(finding "$name" message)
	[[ $message == *"; cure: "*"$cure"* ]] || { echo "no cure '$cure' in: $message" >&2; return 1; }
	said doctor.text | grep -qF -- "$cure"
	said doctor.text | grep -qx 'this host denies what glovebox needs'
	for command; do
		said "$command.text" | grep -qF -- "$message" || { printf '%s says: %s\nnot: %s\n' "$command" "$(said "$command.text")" "$message" >&2; return 1; }
		is "$command $(code "$command.text")" "$command $([ "$command" = exec ] && echo 125 || echo 5)"
	done
}

# expect_works: all three do.
expect_works()
{
	is "$(code doctor.json) $(code doctor.text) $(code exec.text) $(code run.text)" "0 0 0 0" || { cat "$WORK"/told/* >&2; return 1; }
	said doctor.text | grep -qx 'glovebox works here'
}

@test "a host that works: exit 0, by trying" {
	tell env
	expect_works
	is "$(finding sandbox state) $(finding space state) $(finding proc state)" "ok ok ok"
	is "$(ls "$GLOVEBOX_STORE/tmp")" ""
}

@test "user.max_user_namespaces is 0" {
	tell in_userns 'echo 0 >/proc/sys/user/max_user_namespaces'
	expect_denied namespaces userns-off 'sysctl -w user.max_user_namespaces=' exec run
	is "$(finding proc state) $(finding sandbox state)" "untried untried"
}

@test "another kind of namespaces is off: it is named" {
	tell in_userns 'echo 0 >/proc/sys/user/max_ipc_namespaces'
	expect_denied namespaces namespaces-off 'user.max_{mnt' exec
	said doctor.text | grep -qF 'user.max_ipc_namespaces is 0'
}

@test "a seccomp filter that denies unshare" {
	tell "$WORK/deny_calls.py" EPERM unshare --
	expect_denied namespaces seccomp 'seccomp=outer-seccomp.json' exec run
	[[ $(finding namespaces message) == *'(unshare)'* ]]
	[[ $(finding namespaces cures) == *'hostUsers: false'*'seccompProfile'* ]]
}

@test "a seccomp filter that denies clone with namespaces, as a container's does" {
	tell "$WORK/deny_calls.py" EPERM clone:0x7e020000 unshare mount setns --
	expect_denied namespaces seccomp 'seccomp=' exec run
	[[ $(finding namespaces message) == *'(clone, unshare, setns, mount)'* ]]
}

@test "a filter that has nothing to do with it is not blamed" {
	tell in_userns 'echo 0 >/proc/sys/user/max_user_namespaces' "$WORK/deny_calls.py" EPERM clone3 --
	expect_denied namespaces userns-off 'sysctl -w' exec
	tell "$WORK/deny_calls.py" ENOSYS clone3 --
	expect_works
}

@test "a chroot" {
	tell in_mounts bind_all chroot "$WORK/jail"
	expect_denied namespaces chroot 'not in a chroot' exec run
}

@test "a container's masks over /proc" {
	tell in_mounts 'mount -t tmpfs mask /proc/bus; mount --bind /dev/null /proc/cmdline'
	expect_denied proc proc-masked 'systempaths=unconfined' exec run
	[[ $(finding proc message) == *"/proc/bus, /proc/cmdline"* ]]
	[[ $(finding proc cures) == *'unmask=ALL'* && $(finding proc cures) == *'procMount: Unmasked'* ]]
	is "$(finding namespaces state) $(finding overlay state) $(finding sandbox state)" "ok ok untried"
}

@test "a store on a file system that is read-only" {
	tell in_mounts 'mount --bind "$GLOVEBOX_STORE" "$GLOVEBOX_STORE"; mount -o remount,bind,ro "$GLOVEBOX_STORE"'
	expect_denied store store-readonly 'choose another with --store DIR' exec run
}

@test "a store on a file system that is full" {
	mkdir "$WORK/full"
	tell in_mounts 'mount -t tmpfs -o size=8M,mode=0777 full "$WORK/full"; export GLOVEBOX_STORE=$WORK/full/store
		"$GLOVEBOX" doctor >/dev/null || true
		dd if=/dev/zero of="$WORK/full/fill" bs=64k 2>/dev/null || true'
	expect_denied store store-full 'make room'
}

@test "a store on a file system that is noexec: a step is not hindered" {
	tell in_mounts 'mount --bind "$GLOVEBOX_STORE" "$GLOVEBOX_STORE"; mount -o remount,bind,noexec "$GLOVEBOX_STORE"'
	expect_works
}

@test "no cgroup for a limit of memory" {
	LIMITS='' EXEC_OPTIONS='--memory 64Mi'
	tell in_mounts 'mount -t tmpfs -o ro none /sys/fs/cgroup'
	expect_denied limits no-cgroup 'Delegate=yes' exec
	is "$(finding sandbox state)" ok
	LIMITS=--limits=best-effort EXEC_OPTIONS=''
	tell in_mounts 'mount -t tmpfs -o ro none /sys/fs/cgroup'
	expect_works
	is "$(finding limits state)" weaker
}

@test "no Landlock: told, and no hindrance" {
	tell "$WORK/deny_calls.py" ENOSYS landlock_create_ruleset --
	expect_works
	is "$(finding landlock state) $(finding landlock cause)" "weaker no-landlock"
}

@test "a group with rights over the host that steps would keep" {
	# Only root can give one; an ordinary user has none here.
	local as=(env) want=ok
	if [ "$(id -u)" = 0 ]; then
		chmod go+rx "$WORK"
		as=(setpriv --reuid 61234 --regid 61234 --groups "$(getent group disk | cut -d: -f3)")
		want=weaker
	fi
	mkdir -p "$WORK/theirs" "$WORK/told"
	chmod 777 "$WORK/theirs"
	"${as[@]}" env GLOVEBOX_STORE="$WORK/theirs/store" "$GLOVEBOX" doctor --limits best-effort --json >"$WORK/told/doctor.json"
	echo >>"$WORK/told/doctor.json"
	is "$(finding groups state)" $want
	[ $want = ok ] || [[ $(finding groups message) == *'(disk)'* ]]
	rm -rf "$WORK/theirs"
}

@test "the seccomp profile for containers lets everything through that makes a sandbox" {
	profile=$HERE/../../packaging/outer-seccomp.json
	is "$(jq -r .defaultAction "$profile")" SCMP_ACT_ALLOW
	for call in clone clone3 unshare setns mount umount2 pivot_root open_tree move_mount fsopen fsconfig fsmount mount_setattr \
		landlock_create_ruleset seccomp keyctl sethostname setdomainname capset prctl; do
		is "$(jq --arg call $call '[.syscalls[].names[] | select(. == $call)] | length' "$profile")" 0
	done
	glovebox exec --rootfs "$ROOTFS" --profile "$profile" -- /bin/true
}

# installed: the three programs, as make install puts them, with the probes that are given; prints the program.
installed()
{
	rm -rf "$WORK/installed"
	mkdir -p "$WORK/installed/bin" "$WORK/installed/libexec/glovebox"
	cp "$GLOVEBOX" "$WORK/installed/bin"
	cp "$GLOVEBOX-engine" "$WORK/installed/libexec/glovebox"
	[ -z "${1-}" ] || cp "$1" "$WORK/installed/libexec/glovebox/escape-probes"
	echo "$WORK/installed/bin/glovebox"
}

@test "the self-test: every promise under every profile, in less than half a minute, and nothing is left" {
	program=$(installed "${O:-build}/escape-probes")
	mkdir "$WORK/tmp"
	# Of processor time: this machine may do other things, too.
	local TIMEFORMAT='%0U + %0S'
	spent=$({ time TMPDIR=$WORK/tmp "$program" doctor --limits best-effort --self-test >"$WORK/report.md" 2>"$WORK/said"; } 2>&1)
	[ $((spent)) -lt 30 ]
	grep -qx 'Verdict: nothing got through.' "$WORK/report.md"
	is "$(grep -cE '^\| [0-9]+\. .*( \| [0-9]+ held(, [0-9]+ permitted)?){3} \|$' "$WORK/report.md")" 11
	TMPDIR=$WORK/tmp "$program" doctor --limits best-effort --self-test --json >"$WORK/report.json"
	is "$(jq '.passed, (.failures | length), ([.profiles[].promises[] | .failed] | add)' "$WORK/report.json" | xargs)" 'true 0 0'
	[ "$(jq '[.profiles.strict.promises[] | .held] | add' "$WORK/report.json")" -ge 320 ]
	is "$(ls -A "$WORK/tmp")" ""
}

@test "the probes try nothing as root of the host, in whose hands they are installed, too" {
	[ "$(id -u)" = 0 ] || return 0
	# Of a foreign ABI: should it go on, that does no harm.
	expect_status 2 "${O:-build}/escape-probes" run strict 4
	expect_output "as root of the host"
	[[ $output != *"ok - "* ]]
}

@test "the self-test says which probe got through, and ends with 1" {
	printf '#!/bin/sh\necho "@ strict, promise 3"; echo "ok - 3 bpf: EPERM"; echo "not ok - 3 mount: through: a|b"; echo "@ default, promise 3"; echo "ok - 3 bpf: through: x"\n' >"$WORK/probes"
	chmod 755 "$WORK/probes"
	program=$(installed "$WORK/probes")
	expect_status 1 "$program" doctor --limits best-effort --self-test
	expect_output '| 1 held, **1 FAILED** | 0 held, 1 permitted |'
	expect_output '- strict: 3 mount: through: a|b'
	expect_status 1 "$program" doctor --limits best-effort --self-test --json
	is "$(jq -r '.failures[]' <<<"$output")" 'strict: 3 mount: through: a|b'
}

@test "the self-test: probes that are not there, that die, or that say nothing are no proof" {
	program=$(installed)
	expect_status 125 "$program" doctor --limits best-effort --self-test
	expect_output 'make install'
	printf '#!/bin/sh\nexit 0\n' >"$WORK/probes"
	chmod 755 "$WORK/probes"
	program=$(installed "$WORK/probes")
	expect_status 125 "$program" doctor --limits best-effort --self-test
	expect_output 'did not try every promise'
	printf '#!/bin/sh\nkill -9 $$\n' >"$WORK/probes"
	program=$(installed "$WORK/probes")
	expect_status 125 "$program" doctor --limits best-effort --self-test
	expect_output 'ended before their time (signal 9)'
}

@test "a host that denies is no place for a self-test: exit 5 and the findings" {
	run --separate-stderr "$WORK/deny_calls.py" EPERM unshare -- "$GLOVEBOX" doctor --limits best-effort --self-test
	is "$status" 5
	expect_output 'this host denies what glovebox needs'
}

@test "what is wrong with the command line is no finding" {
	expect_status 2 glovebox doctor --limits none
	expect_status 2 glovebox doctor --store /etc
	expect_status 2 glovebox doctor more
}
