#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Profiles: learnt from gcc, tar, python3 and node, and strict enough; explained; checked.

setup_file()
{
	load lib
	begin_file
	tools_rootfs "$WORK/tools"
	"$GLOVEBOX" rootfs import tools "$WORK/tools" | tail -n 1
	rm -rf "$WORK/tools"
	mkdir "$WORK/src"
	cat >"$WORK/src/hello.c" <<'END'
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
END
}

teardown_file()
{
	load lib
	end_file
}

setup()
{
	load lib
}

# linked FILE...: what these programs or shared objects are linked with.
linked() { ldd "$@" 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^\t\(\/[^ ]*\) .*/\1/p' | sort -u; }

# copy_program DIR PROGRAM...: these programs, where they really are, and in /usr/bin under the name they were asked for; and what they are linked with.
copy_program()
{
	local dir=$1 program
	shift
	for program; do
		program=$(command -v "$program" || echo "$program")
		{
			realpath "$program"
			linked "$program"
		} | while read -r file; do
			[ -e "$dir$file" ] || install -D "$file" "$dir$file"
		done
		[ -e "$dir/usr/bin/${program##*/}" ] || ln -s "$(realpath "$program")" "$dir/usr/bin/${program##*/}"
	done
}

# copy_files DIR: files named on standard input, with the directories above them.
copy_files()
{
	tar -C / -cf - --no-recursion --ignore-failed-read --verbatim-files-from -T - 2>/dev/null | tar -C "$1" -xf - --keep-directory-symlink --no-same-owner
}

# tools_rootfs DIR: this host's own gcc, tar, python3 and node, as far as they are needed.
tools_rootfs()
{
	local dir=$1 version python lib
	busybox_rootfs "$dir"
	mkdir -p "$dir/usr/bin" "$dir/usr/lib" "$dir/lib64" "$dir/tmp" "$dir/src"
	rm "$dir/bin/tar"
	version=$(gcc -dumpversion)
	dpkg -L "gcc-$version" "cpp-$version" "libgcc-$version-dev" libc6-dev linux-libc-dev libcrypt-dev 2>/dev/null |
		grep -vE '^/usr/share|/(lto1|lto-wrapper|lib(asan|tsan|ubsan|lsan|hwasan)[^/]*)$' | while read -r file; do
		[ -d "$file" ] || printf '%s\n' "$file"
	done | copy_files "$dir"
	copy_program "$dir" gcc as ld tar node "$(gcc -print-prog-name=cc1)" "$(gcc -print-prog-name=collect2)"
	# Debian's node has some of its own modules outside of the program.
	find -L /usr/share/nodejs/{acorn,acorn-walk,cjs-module-lexer,undici} -type f -name '*.js' 2>/dev/null | copy_files "$dir"
	python=$(python3 -c 'import sys; print(sys.executable)')
	lib=$(python3 -c 'import os; print(os.path.dirname(os.__file__))')
	copy_program "$dir" "$python"
	[ -e "$dir/usr/bin/python3" ] || ln -s "$(realpath "$python")" "$dir/usr/bin/python3"
	find -L "$lib" -type f -name '*.py' ! -path '*/test/*' ! -path '*-packages/*' ! -path '*/idlelib/*' | copy_files "$dir"
	local modules
	mapfile -t modules < <(find -L "$lib" -type f -name '*.so' ! -path '*-packages/*')
	{
		realpath "${modules[@]}"
		linked "${modules[@]}"
	} | while read -r file; do
		[ -e "$dir$file" ] || install -D "$file" "$dir$file"
	done
}

# What no build step has any business with: whole calls, and arguments.
dangerous='mount umount2 pivot_root chroot unshare setns ptrace bpf keyctl add_key request_key io_uring_setup userfaultfd kexec_load
kexec_file_load init_module finit_module delete_module perf_event_open open_by_handle_at name_to_handle_at clone3 openat2 fsopen fsconfig
fsmount move_mount open_tree mount_setattr process_vm_readv process_vm_writev pidfd_getfd kcmp reboot syslog acct quotactl swapon
settimeofday clock_settime iopl ioperm memfd_secret fanotify_init sethostname'
dangerous_arguments='socket,AF_VSOCK socket,AF_ALG socket,AF_PACKET socket,AF_XDP socket,AF_INET,SOCK_RAW ioctl,_,TIOCSTI ioctl,_,TIOCLINUX
ioctl,_,0x100005412 clone,CLONE_NEWUSER clone,CLONE_NEWTIME clone,CLONE_NEWNS prctl,PR_SET_MM fcntl,_,F_SETLEASE openat,_,_,O_CREAT,0o4755
chmod,_,S_ISUID mknod,_,0o20644 mknodat,_,_,0o60644 renameat2,_,_,_,_,4 personality,0x400000 prlimit64,1 setpriority,_,1 seccomp,1,8'

# nothing_dangerous FILE: none of it is open under this profile. Whole calls by the text, in which one group has one name.
nothing_dangerous()
{
	local what call
	for what in $dangerous; do
		if grep -A 1 -E "^- names: .*\b$what\b" "$1" | grep ALLOW; then
			echo "is open: $what"
			return 1
		fi
	done
	for what in $dangerous_arguments; do
		IFS=, read -ra call <<<"$what"
		glovebox profile explain "$1" "${call[@]}" --json >"$WORK/explained.json"
		if jq -e '[.rules[] | .answer] | any(. == "allowed" or . == "logged")' "$WORK/explained.json" >/dev/null; then
			echo "is open: $what"
			cat "$WORK/explained.json"
			return 1
		fi
	done
}

# learns NAME COMMAND...: it passes while it is learnt from, and under what was learnt; nothing dangerous is in that; less than in default.
learns()
{
	local name=$1
	shift
	glovebox profile learn --rootfs tools --ro "$WORK/src:/src" --write "$WORK/$name.yaml" -- "$@" >"$WORK/$name.learning"
	expect_status 0 glovebox profile check "$WORK/$name.yaml"
	glovebox exec --rootfs tools --ro "$WORK/src:/src" --profile "$WORK/$name.yaml" -- "$@" >"$WORK/$name.learnt"
	glovebox exec --rootfs tools --ro "$WORK/src:/src" --profile "$WORK/$name.yaml" -- "$@" >"$WORK/$name.learnt"
	cmp "$WORK/$name.learning" "$WORK/$name.learnt"
	[ -s "$WORK/$name.learnt" ]
	nothing_dangerous "$WORK/$name.yaml"
	# A reason with each rule.
	is "$(grep -c '^- names:' "$WORK/$name.yaml")" "$(grep -c '^  comment: "..*"$' "$WORK/$name.yaml")"
	[ "$(grep -c '^- names:' "$WORK/$name.yaml")" -lt 150 ]
}

@test "learn: gcc passes under what was learnt of it, and nothing dangerous is open" {
	learns gcc sh -c 'gcc -O1 -o /tmp/hello /src/hello.c && cd /tmp && /bin/cat hello | wc -c'
	grep -q 'by cc1 (/usr/lib/gcc/' "$WORK/gcc.yaml"
	grep -q 'by as (/usr/bin/' "$WORK/gcc.yaml"
	grep -q 'by ld' "$WORK/gcc.yaml"
	# It makes processes, and no socket.
	glovebox profile explain "$WORK/gcc.yaml" socket | grep -q 'refused with ENOSYS'
}

@test "learn: tar passes under what was learnt of it, and nothing dangerous is open" {
	learns tar sh -c 'cd /tmp && tar -cf a.tar /src/hello.c && mkdir b && tar -C b -xf a.tar && tar -tvf a.tar'
	# What was refused while learning is told, and refused with the same errno again.
	grep -q '^# Refused while it ran' "$WORK/tar.yaml" || grep -q '^# Nothing was refused' "$WORK/tar.yaml"
}

@test "learn: python3 passes under what was learnt of it, and nothing dangerous is open" {
	learns python sh -c 'python3 -c "
import json, hashlib, threading, subprocess
t = threading.Thread(target=lambda: None); t.start(); t.join()
print(json.dumps(subprocess.run([\"/bin/echo\", \"x\"], capture_output=True).stdout.decode()), hashlib.sha256(b\"\").hexdigest())"'
}

@test "learn: node passes under what was learnt of it, and nothing dangerous is open" {
	learns node node -e 'require("fs").readFile("/src/hello.c", "utf8", (e, s) => console.log(s.length))'
	# Threads are made by clone, since clone3 says that it is not there; io_uring likewise.
	grep -q 'names: \[clone\]' "$WORK/node.yaml"
	grep -q '^#   clone3 (' "$WORK/node.yaml"
}

@test "learn: what is dangerous is refused while learning, named, and not learnt" {
	glovebox profile learn --rootfs "$ROOTFS" --write "$WORK/bad.yaml" -- \
		sh -c 'unshare -r true; mount -t tmpfs none /tmp; echo went on; hostname other; true' >"$WORK/bad.out"
	grep -q 'went on' "$WORK/bad.out"
	grep -q '^#   unshare (once, by unshare (/bin/busybox)): it would open other namespaces' "$WORK/bad.yaml"
	grep -q '^#   mount (' "$WORK/bad.yaml"
	grep -q '^#   sethostname (once, by hostname' "$WORK/bad.yaml"
	nothing_dangerous "$WORK/bad.yaml"
	glovebox profile explain "$WORK/bad.yaml" unshare | grep -q 'refused with EPERM'
}

@test "learn: what was not seen is refused under what was learnt" {
	glovebox profile learn --rootfs "$ROOTFS" --write "$WORK/cat.yaml" -- cat /etc/passwd
	expect_status 0 glovebox exec --rootfs "$ROOTFS" --profile "$WORK/cat.yaml" -- cat /etc/passwd
	expect_status 1 glovebox exec --rootfs "$ROOTFS" --profile "$WORK/cat.yaml" -- mkdir /tmp/x
	expect_status 0 glovebox profile explain "$WORK/cat.yaml" mkdir
	expect_output 'no rule is about it; the default: refused with ENOSYS'
}

@test "learn: the profile is on standard output, what the command says on standard error; its code is passed on" {
	glovebox profile learn --rootfs "$ROOTFS" -- sh -c 'echo said; exit 7' >"$WORK/out" 2>"$WORK/err" && code=0 || code=$?
	is "$code" 7
	grep -qx 'said' "$WORK/err"
	grep -q 'ended with 7' "$WORK/err"
	run ! grep -q '^said' "$WORK/out"
	glovebox profile check "$WORK/out"
	expect_status 127 glovebox profile learn --rootfs "$ROOTFS" -- missing
	# shellcheck disable=SC2016  # the shell inside
	expect_status 137 glovebox profile learn --rootfs "$ROOTFS" -- sh -c 'kill -9 $$'
	expect_status 124 glovebox profile learn --rootfs "$ROOTFS" --timeout 300ms -- sleep 60
}

@test "learn: what cannot be learnt is said, with 125" {
	expect_status 125 glovebox profile learn -- true
	expect_output 'profile learn: in which root filesystem?'
	expect_status 125 glovebox profile learn --rootfs "$ROOTFS" --profile debug -- true
	expect_output "'default' or 'strict'"
	expect_status 125 glovebox profile learn --rootfs "$ROOTFS" --profile "$WORK/cat.yaml" -- true
	expect_status 125 glovebox profile learn --rootfs "$ROOTFS" --write "$WORK" -- true
	expect_status 125 glovebox profile learn --rootfs "$ROOTFS" --files 3 -- true
	expect_output 'raise it (--files)'
	expect_status 125 glovebox profile learn --rootfs "$ROOTFS"
	expect_output 'no command given'
}

@test "learn: under strict there is no socket to be had" {
	cat >"$WORK/src/families.py" <<'END'
import socket
for family in socket.AF_UNIX, socket.AF_INET:
    try:
        socket.socket(family).close()
    except OSError as e:
        print(e.errno)
END
	glovebox profile learn --rootfs tools --ro "$WORK/src:/src" --write "$WORK/loose.yaml" -- python3 /src/families.py
	glovebox profile learn --rootfs tools --ro "$WORK/src:/src" --profile strict --write "$WORK/strict.yaml" -- python3 /src/families.py >"$WORK/strict.out"
	is "$(cat "$WORK/strict.out")" 97
	glovebox profile explain "$WORK/loose.yaml" socket AF_INET SOCK_STREAM | grep -q ': allowed'
	glovebox profile explain "$WORK/strict.yaml" socket AF_UNIX SOCK_STREAM | grep -q ': allowed'
	glovebox profile explain "$WORK/strict.yaml" socket AF_INET SOCK_STREAM | grep -q 'refused with EAFNOSUPPORT'
	nothing_dangerous "$WORK/strict.yaml"
}

@test "learn: the receipt says that it was on; exec's and a run's that it was not" {
	glovebox profile learn --rootfs "$ROOTFS" --receipt "$WORK/learn.json" -- true >/dev/null
	is "$(jq .sandbox.seccomp.learning "$WORK/learn.json")" true
	glovebox exec --rootfs "$ROOTFS" --receipt "$WORK/exec.json" -- true
	is "$(jq .sandbox.seccomp.learning "$WORK/exec.json")" false
	new_spec "$WORK/spec"
	glovebox run "$WORK/spec/build.yaml" --out "$WORK/run"
	is "$(jq '[.. | objects | select(has("learning")) | .learning] | unique | tostring' "$WORK/run/result.json")" '"[false]"'
}

@test "learn: killed with -9 it leaves nothing running, and no file" {
	"$GLOVEBOX" profile learn --rootfs "$ROOTFS" --write "$WORK/killed.yaml" -- \
		sh -c 'sleep 1000; true' "learn-$$" 3>&- &
	both_there()
	{
		[ "$(pgrep -fc "learn-$$")" -ge 2 ]
	}
	wait_until both_there
	kill -9 $!
	wait $! || true
	nothing_left()
	{
		! pgrep -f "learn-$$"
	}
	wait_until nothing_left
	[ ! -e "$WORK/killed.yaml" ]
}

@test "explain: by which line, and what it would open" {
	expect_status 0 glovebox profile explain default ioctl _ TIOCSTI
	expect_output 'default: ioctl: refused with EPERM (1)'
	expect_output 'it would open: typing into the terminal'
	line=$(printf '%s\n' "$output" | sed -n 's/^  default:\([0-9]*\): .*/\1/p')
	glovebox profile show default | sed -n "${line}p" | grep -q ioctl
	expect_status 0 glovebox profile explain default read
	expect_output 'default: read: allowed'
	printf 'defaultAction: SCMP_ACT_ALLOW\n' >"$WORK/all.yaml"
	expect_status 0 glovebox profile explain "$WORK/all.yaml" mount
	expect_output 'mount: refused with EPERM (1), by the floor below the profile'
	expect_status 2 glovebox profile explain default raed
	expect_output "did you mean 'read'"
	expect_status 6 glovebox profile explain "$WORK/missing.yaml" read
}

@test "explain: what it says is what the kernel does" {
	expect_status 0 glovebox profile explain strict socket AF_INET SOCK_STREAM
	expect_output 'refused with EAFNOSUPPORT (97)'
	run glovebox exec --rootfs tools --profile strict -- python3 -c 'import socket; socket.socket()'
	expect_output 'Errno 97'
}

@test "check: contradictions and their like, each with its line; codes 0 and 2" {
	for profile in default strict debug; do
		glovebox profile show $profile >"$WORK/shown.yaml"
		expect_status 0 glovebox profile check "$WORK/shown.yaml"
	done
	cat >"$WORK/wrong.yaml" <<'END'
defaultAction: SCMP_ACT_ERRNO
syscalls:
- names: [execve, exit_group, raed]
  action: SCMP_ACT_ALLOW
- names: [read]
  action: SCMP_ACT_ALLOW
- names: [read]
  action: SCMP_ACT_ERRNO
END
	expect_status 2 glovebox profile check "$WORK/wrong.yaml"
	expect_output "$WORK/wrong.yaml:1:16: error: clone3 gets EPERM, by the default"
	expect_output "$WORK/wrong.yaml:3:31: error: 'raed' is not a system call"
	expect_output "$WORK/wrong.yaml:7:11: error: read is refused here, but line 5 has allowed all of that"
	is "$(glovebox profile check "$WORK/wrong.yaml" --json | jq -c '[.[] | .line] | unique' || true)" '[1,3,7]'
	expect_status 6 glovebox profile check "$WORK/missing.yaml"
}

@test "check: what it finds nothing wrong with is loaded, and the profiles of engines are" {
	engine=/usr/share/containers/seccomp.json
	[ -e "$engine" ]
	expect_status 0 glovebox profile check "$engine"
	expect_status 0 glovebox exec --rootfs "$ROOTFS" --profile "$engine" -- true
	expect_status 0 glovebox profile check "$BATS_TEST_DIRNAME/../../packaging/outer-seccomp.json"
}
