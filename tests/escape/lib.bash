# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the escape tests share: a root filesystem with the probes (probe/probe.h), and a control box that holds little.
declare -F bats_require_minimum_version >/dev/null || bats_require_minimum_version() { :; }
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.bash"

PROBE=$(realpath "${O:-build}/escape-probes")
# shellcheck disable=SC2034  # for who sources this
PROFILES=(strict default debug)
export PROBE

# begin_escape: as begin_file, with the probes in the root filesystem, setuid, setgid and with a file capability, too.
# A store's owner is who steps run as; $STEP is "setpriv …" where that is not whoever calls.
begin_escape()
{
	umask 022
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-escape.XXXXXX")
	chmod 755 "$WORK"
	export WORK GLOVEBOX_STORE=$WORK/store
	probe_root "$WORK/rootfs"
	import_root "$WORK/rootfs"
	mkdir "$WORK/in"
	probe_inputs "$WORK/in"
	mine "$WORK/live" "$WORK/weak" "$WORK/caller"
}

# mine DIR...: directories that the step user may write to, whoever runs this.
mine()
{
	mkdir -p "$@"
	[ "$(id -u)" != 0 ] || chown "$(stat -c %u:%g "$GLOVEBOX_STORE")" "$@"
}

# as_step COMMAND...: as whom steps run outside.
as_step()
{
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid="$(stat -c %u "$GLOVEBOX_STORE")" --regid="$(stat -c %g "$GLOVEBOX_STORE")" --clear-groups "$@"
	else
		"$@"
	fi
}

probe_root()
{
	busybox_rootfs "$1"
	cp "$PROBE" "$1/bin/probe"
	probe_inputs "$1/bin"
}

# probe_inputs DIR: what must not get in as it is.
probe_inputs()
{
	local name
	for name in suid sgid capable; do
		cp "$PROBE" "$1/$name"
	done
	chmod 4755 "$1/suid"
	chmod 2755 "$1/sgid"
	[ "$(id -u)" != 0 ] || python3 -c 'import os, sys
os.setxattr(sys.argv[1], "security.capability", bytes([1, 0, 0, 2, 0x80] + [0] * 15))' "$1/capable"
}

# import_root DIR: by an archive, which holds a capability whoever makes it. Sets $ROOTFS.
import_root()
{
	python3 - "$1" "$1.tar" <<'END'
import sys, tarfile
capability = "\x01\x00\x00\x02\x7f\x00\x00\x00" + "\x00" * 12
def privileged(member):
    member.uid = member.gid = 0
    if member.name.endswith("/capable"):
        member.pax_headers["SCHILY.xattr.security.capability"] = capability
    return member
with tarfile.open(sys.argv[2], "w", format=tarfile.PAX_FORMAT) as out:
    out.add(sys.argv[1], ".", filter=privileged)
END
	ROOTFS=probe@$("$GLOVEBOX" rootfs import probe "$1.tar" | tail -n 1)
	export ROOTFS
}

# needles: as `probe run` takes them, what tells of this host: the directory of all this, and the digest of the rootfs.
needles()
{
	local word digest=${ROOTFS#*:}
	for word in "${WORK##*/}" "$digest" "${digest:0:16}"; do
		printf 'needle=%s\n' "$(printf %s "$word" | od -An -v -tx1 | tr -d ' \n')"
	done
}

# box OPTION... -- COMMAND...: in the box.
box() { "$GLOVEBOX" exec --rootfs "$ROOTFS" "$@"; }

# weak_root: what the control box holds: the same, writable.
weak_root()
{
	local root=$WORK/weak
	probe_root "$root"
	mkdir -p "$root"/{dev,proc,tmp,sys,in,live,out,build/home}
	probe_inputs "$root/in"
	echo root:x:0:0::/:/bin/sh >"$root/etc/passwd"
	if [ "$(id -u)" = 0 ]; then
		chown -R "$(stat -c %u:%g "$GLOVEBOX_STORE")" "$root"
	fi
	chmod 4755 "$root/bin/suid" "$root/in/suid"
}

# weak_box UNSHARE_OPTION... -- COMMAND...: namespaces and no more, as an ordinary user whoever calls.
weak_box()
{
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016  # for the shell inside
	as_step unshare --user --map-root-user --mount --pid --fork --uts "${options[@]}" bash -c '
		cd "$0" && mount --bind . . && cd "$0" && mount --rbind /dev dev && mount -t tmpfs shm dev/shm && mount -t proc proc proc &&
		pivot_root . . && /bin/busybox umount -l . && cd / && exec "$@"' "$WORK/weak" "$@"
}

# naive_root PROBE: $WORK/naive, laid out as its start wants it (probe/c11_starts.c), and $WORK/victim that some of its links lead to.
naive_root()
{
	local root=$WORK/naive
	rm -rf "$root" "$WORK/victim"
	mkdir -p "$root"/{bin,etc}
	cp "$PROBE" "$root/bin/probe"
	cp "$(command -v busybox)" "$root/bin/busybox"
	mine "$WORK/victim"
	touch "$WORK/victim/file"
	"$PROBE" starts "$1" "$root" "$WORK/victim"
	[ "$(id -u)" != 0 ] || chown -hR "$(stat -c %u:%g "$GLOVEBOX_STORE")" "$root"
}

# naive_box TARGET WORKDIR COMMAND...: a sandbox that looks at nothing that it mounts on, writes to or starts; "-" for no target and /.
# The program that makes it is busybox, as far as the command can tell.
# shellcheck disable=SC2016  # for the shell inside
naive_box()
{
	as_step unshare --user --map-root-user --mount --pid --fork --uts --ipc --net bash -c '
		target=$1 workdir=$2
		shift 2
		cd "$0" && mount --bind . . && cd "$0" && mkdir -p dev/shm proc sys tmp build/home
		mount -t proc proc proc
		[ ! -e dev/null ] || mount --bind dev/null proc/cmdline
		mount --rbind /dev dev
		for place in sys tmp build/home; do mount -t tmpfs none $place; done
		echo root:x:0:0::/:/bin/sh >etc/passwd
		[ "$target" = - ] || { mkdir -p ".$target/made"; mount --bind "$0/bin" ".$target"; }
		pivot_root . . && /bin/busybox umount -l .
		exec /bin/busybox sh -c "cd \"\$0\"; \"\$@\"" "${workdir/#-//}" "$@"' "$WORK/naive" "$@"
}
