#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Much of everything, by `make check-long`: what takes a minute where it works and the memory of the machine where it does not.
load ../lib

setup() { begin_file; }
teardown() { end_file; }

# peak COMMAND…: the largest resident size in MiB of the process and of what it starts.
peak()
{
	python3 -c '
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(status)' "$@"
}

# run_on DIR: a run with DIR as its source that leaves it as it is; its output is the same tree.
run_on()
{
	cat >"$WORK/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: many }
spec:
  rootfs: { ref: "$ROOTFS" }
  sources: [{ name: src, path: $1 }]
  sandbox: { workdir: ${2:-memory} }
  build: { command: "true", artifact: { base: scratch } }
END
	expect_status 0 glovebox run "$WORK/build.yaml" --out "$WORK/out" --quiet
	is "$(jq -r .output.tree "$WORK/out/result.json")" "$(glovebox tree "$1" --digest)"
}

@test "a million entries in bounded memory" {
	local small large
	python3 - "$WORK" <<'END'
import os, sys
for name, n in (("small", 10000), ("large", 1000000)):
    for i in range(0, n, 1000):
        d = os.path.join(sys.argv[1], name, "directory-%04d" % (i // 1000))
        os.makedirs(d)
        for j in range(999):
            os.symlink("x", "%s/entry-of-it-%d" % (d, j)) if j % 2 else os.mknod("%s/entry-of-it-%d" % (d, j), 0o644)
END
	small=$(peak "$GLOVEBOX" tree "$WORK/small" --digest)
	large=$(peak "$GLOVEBOX" tree "$WORK/large" --digest)
	echo "# $small MiB for 10,000 entries, $large MiB for 1,000,000" >&3
	# An entry and its line: some 300 bytes.
	[ $((large - small)) -lt 400 ]
}

@test "100,000 files in one directory, from source to image" {
	mkdir "$WORK/src"
	python3 -c '
import sys
for i in range(100000):
    open("%s/%d" % (sys.argv[1], i), "w").write(str(i % 100))' "$WORK/src"
	run_on "$WORK/src"
}

@test "a file of more than 4 GiB, from source to image" {
	mkdir "$WORK/src"
	truncate -s $((4 << 30 | 3)) "$WORK/src/big"
	printf end >>"$WORK/src/big"
	run_on "$WORK/src"
	[ "$(du -s "$GLOVEBOX_STORE" | cut -f1)" -lt 100000 ]
}
