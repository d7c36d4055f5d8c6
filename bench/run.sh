#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench/run.sh BUILD_DIR: what a start costs, against bubblewrap with the same namespaces, in the same
# run (see bench/README.md). Root hands itself over to an ordinary user first: that is whom it is for.
set -eu

build=$(cd "$1" && pwd)
runs=${RUNS:-200}
here=$(cd "$(dirname "$0")" && pwd)

command -v bwrap >/dev/null || { echo "bench: bubblewrap is missing; run 'make deps'" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
chmod 755 "$work"
mkdir -p "$work/rootfs/bin" "$work/rootfs/etc" "$work/rootfs/proc" "$work/rootfs/dev" "$work/rootfs/tmp" "$work/bin" "$work/home"
"${CC:-cc}" -O2 -static -o "$work/rootfs/bin/true" "$here/true.c"
"${CC:-cc}" -O2 -o "$work/bin/interleave" "$here/interleave.c"
cp "$build/glovebox" "$build/glovebox-engine" "$work/bin/"

as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
	chown -R 65531:65531 "$work"
	as() { setpriv --reuid=65531 --regid=65531 --clear-groups env HOME="$work/home" TMPDIR=/tmp "$@"; }
fi

as "$work/bin/glovebox" rootfs import --store "$work/store" bench "$work/rootfs" >/dev/null
echo "start of a static 'true', $runs interleaved runs as uid $(as id -u), kernel $(uname -r), $(nproc) cores"
as "$work/bin/interleave" "$runs" \
	bwrap --unshare-all --unshare-user --die-with-parent --new-session --ro-bind "$work/rootfs" / --proc /proc --dev /dev \
		--tmpfs /tmp --clearenv -- /bin/true ::: \
	"$work/bin/glovebox" exec --store "$work/store" --rootfs bench -- /bin/true ::: \
	"$work/rootfs/bin/true"
