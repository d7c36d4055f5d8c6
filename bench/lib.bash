# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the benchmarks share: a work directory, programs in it, and an ordinary user to run as.

# The user that root runs as here: one that nobody is.
bench_user=65531

# begin BUILD_DIR: sets $build and $work. Root goes on in a mount namespace of its own, without the half of a
# hybrid cgroup hierarchy with which crun refuses to work.
begin()
{
	build=$(cd "$1" && pwd)
	if [ "$(id -u)" = 0 ] && [ -z "${GB_BENCH_APART-}" ]; then
		GB_BENCH_APART=1 exec unshare --mount "$0" "$@"
	fi
	! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified 2>/dev/null || true
	work=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-bench.XXXXXX")
	trap 'chmod -R u+rwX "$work" 2>/dev/null; rm -rf --one-file-system "$work"' EXIT
	chmod 755 "$work"
	mkdir -p "$work"/rootfs/{bin,dev,etc,proc,tmp} "$work/bin" "$work/home"
	cp "$build/glovebox" "$build/glovebox-engine" "$work/bin/"
}

# tool ARGUMENT…: the compiler.
tool()
{
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 "$@"
}

# as COMMAND…: as the ordinary user.
as()
{
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=$bench_user --regid=$bench_user --clear-groups env HOME="$work/home" TMPDIR=/tmp "$@"
	else
		HOME=$work/home "$@"
	fi
}

# own FILE…: belongs to that user.
own()
{
	[ "$(id -u)" != 0 ] || chown -R $bench_user:$bench_user "$@"
}

hand_over_work()
{
	own "$work"
}

about()
{
	echo "uid $(as id -u), Linux $(uname -r), $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg), $(date -u +%F)"
}
