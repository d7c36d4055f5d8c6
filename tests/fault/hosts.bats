#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Hosts and trees that are not as one thinks: file systems that tell no types of their entries, have no hard links and no
# extended attributes; names of any bytes, long names, long paths, holes. All of it comes through, and is the same as elsewhere.
load lib

setup_file()
{
	begin_file
	odd_tree "$WORK/src"
	WANT=$(glovebox tree "$WORK/src" --digest)
	export WANT
}
teardown_file() { end_file; }

setup() { DIR=$WORK/$BATS_TEST_NUMBER; mkdir -p "$DIR"; }

# odd_tree DIR: what a file system of Linux lets one make, made by somebody else.
odd_tree()
{
	mkdir "$1"
	python3 - "$1" <<'END'
import os, sys
os.chdir(sys.argv[1])
def put(name, text, fd=None):
    with open(os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd), "wb") as out:
        out.write(text)
put(b"not utf-8: \xff\xfe\xc3", b"1")
put(b"new\nline", b"2")
put(b"-rf *", b"3")
put(b" ", b"4")
put(b"n" * 255, b"5")
put("\u00e9".encode() * 127, b"6")
os.symlink(b"\xfe\n" * 2000, b"link")
os.symlink(b"link", b"n" * 254)
# 4,000 bytes of path: with what images put in front, still less than 4,096.
fd = os.open(".", os.O_RDONLY)
for _ in range(19):
    os.mkdir("p" * 200, dir_fd=fd)
    fd = os.open("p" * 200, os.O_RDONLY, dir_fd=fd)
put(b"q" * 181, b"7", fd)
with open("sparse", "wb") as out:
    out.truncate(30000000)
    out.seek(15000000)
    out.write(b"middle")
END
}

# travel RULE… : the odd tree as source, output and image, on a host of these rules.
travel()
{
	is "$(under "$@" -- tree "$WORK/src" --digest --no-cache)" "$WANT"
	under "$@" -- rootfs import "tiny$BATS_TEST_NUMBER" "$WORK/rootfs"
	cat >"$DIR/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: odd }
spec:
  rootfs: { ref: "$ROOTFS" }
  sources: [{ name: src, path: $WORK/src }]
  build: { command: "true", artifact: { base: scratch } }
END
	# Once as it comes, once with all from the store.
	local i
	for i in 1 2; do
		under "$@" -- run "$DIR/build.yaml" --out "$DIR/out$i" --quiet
		is "$(jq -r .output.tree "$DIR/out$i/result.json")" "$WANT"
	done
	cmp "$DIR/out1/image.tar" "$DIR/out2/image.tar"
	is "$(jq -r '.steps[0].cache' "$DIR/out2/result.json")" hit
	under "$@" -- image pack "$WORK/src" -o "$DIR/packed.tar"
	under "$@" -- cache verify
	under "$@" -- cache gc --max-age 0
	under "$@" -- cache verify
}

# unpacked IMAGE DIR: its one layer, by a tool that we did not write, which turns names into the locale's characters.
unpacked()
{
	local -x LC_ALL=C.UTF-8
	mkdir "$2" "$2.image"
	bsdtar -C "$2.image" -xf "$1"
	local manifest layer
	manifest=$(jq -r '.manifests[0].digest[7:]' "$2.image/index.json")
	layer=$(jq -r '.layers[0].digest[7:]' "$2.image/blobs/sha256/$manifest")
	bsdtar -C "$2" -xpf "$2.image/blobs/sha256/$layer"
}

@test "any names, long paths and holes come through source, output, store and image" {
	travel
	unpacked "$DIR/out1/image.tar" "$DIR/run"
	is "$(glovebox tree "$DIR/run/src" --digest)" "$WANT"
	unpacked "$DIR/packed.tar" "$DIR/pack"
	is "$(glovebox tree "$DIR/pack" --digest)" "$WANT"
	cp "$DIR/out1/image.digest" "$WORK/image"
	cp "$DIR/packed.tar" "$WORK/packed.tar"
}

@test "on a file system that tells no types" {
	travel types
	cmp "$DIR/out1/image.digest" "$WORK/image"
	cmp "$DIR/packed.tar" "$WORK/packed.tar"
}

@test "on a file system without hard links and extended attributes" {
	travel linkat=EPERM link=EPERM setxattr=EOPNOTSUPP lsetxattr=EOPNOTSUPP fsetxattr=EOPNOTSUPP
	cmp "$DIR/out1/image.digest" "$WORK/image"
	cmp "$DIR/packed.tar" "$WORK/packed.tar"
	# What must not replace anything needs no link for that.
	under linkat=EPERM -- key generate "$DIR/key"
	run ! under linkat=EPERM -- key generate "$DIR/key"
	[ -s "$DIR/key.pem" ]
}

@test "on a file system that knows neither holes, clones nor copies of its own" {
	travel copy_file_range=EOPNOTSUPP ioctl=EOPNOTSUPP fallocate=EOPNOTSUPP
	cmp "$DIR/out1/image.digest" "$WORK/image"
}
