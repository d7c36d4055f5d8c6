#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/diff.sh BUILD_DIR: what `glovebox diff` of two images of 1 GB costs that differ in one byte of one file, against
# `openssl dgst -sha256` of both files in the same run, and the memory that it takes (bench/README.md).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.bash
. "$here/lib.bash"
begin "$@"
: "${work:?}" "${build:?}"
runs=${RUNS:-9}
# Of 1 MiB each.
files=${FILES:-1000}

tool -o "$work/bin/interleave" "$here/interleave.c"
export GLOVEBOX_STORE=$work/store

# Half of each file is noise, half text.
make_files()
{
	mkdir -p "$work/a/many"
	own "$work/a"
	as python3 - "$work/a/many" "$files" <<'END'
import os, sys
for i in range(int(sys.argv[2])):
    with open(f"{sys.argv[1]}/{i:06}", "wb") as f:
        f.write(os.urandom(1 << 19) + (b"file %8d\n" % i * (1 << 16))[:1 << 19])
END
}

# pair NAME: images of $work/a/NAME as it is, and with another byte at the end of its last file.
pair()
{
	local codec last
	last=$(find "$work/a/$1" -type f | sort | tail -n 1)
	for codec in none gzip; do
		as "$work/bin/glovebox" image pack "$work/a/$1" -o "$work/$1-$codec-a.tar" --compression $codec >/dev/null
	done
	printf '\377' | as dd of="$last" bs=1 seek=$(($(stat -c %s "$last") - 1)) conv=notrunc status=none
	for codec in none gzip; do
		as "$work/bin/glovebox" image pack "$work/a/$1" -o "$work/$1-$codec-b.tar" --compression $codec >/dev/null
	done
}

# peak A B: the largest resident size of every process of the tree, all added up: no less than what they ever took together.
peak()
{
	as python3 - "$work/bin/glovebox" "$@" <<'END'
import glob, subprocess, sys
def field(path, name):
    try:
        with open(path) as f:
            return next((int(l.split()[1]) for l in f if l.startswith(name)), 0)
    except OSError:
        return 0
diff = subprocess.Popen([sys.argv[1], "diff", *sys.argv[2:]], stdout=subprocess.DEVNULL)
most = {}
while diff.poll() is None:
    tree = {diff.pid}
    for path in sorted(glob.glob("/proc/[0-9]*/status"), key=lambda p: int(p.split("/")[2])):
        pid = int(path.split("/")[2])
        if pid in tree or field(path, "PPid:") in tree:
            tree.add(pid)
            most[pid] = max(most.get(pid, 0), field(path, "VmHWM:"))
print(f"peak: {sum(most.values()) // 1024} MiB in {len(most)} processes")
END
}

# measure NAME CODEC
measure()
{
	local a=$work/$1-$2-a.tar b=$work/$1-$2-b.tar
	printf '\n%s, %s: %s bytes each\n' "$1" "$2" "$(stat -c %s "$a")"
	# shellcheck disable=SC2016  # the shell that is started expands them
	as "$work/bin/interleave" "$runs" 'openssl dgst -sha256, both=' openssl dgst -sha256 "$a" "$b" ::: \
		'glovebox diff=' bash -c '"$0" diff "$@"; [ $? = 1 ]' "$work/bin/glovebox" "$a" "$b"
	peak "$a" "$b"
}

hand_over_work
make_files
mkdir "$work/a/one"
cat "$work"/a/many/* >"$work/a/one/file"
own "$work/a"
about
for name in many one; do
	pair $name
	rm -r "$work/a/$name"
	for codec in none gzip; do
		measure $name $codec
		rm "$work/$name-$codec"-[ab].tar
	done
done
