#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sources by URL that are archives: what is in them becomes the source, whatever they try.
load lib

setup_file()
{
	begin_file
	mkdir -p "$WORK/www/tree/p-1.0/sub" "$WORK/www/bad"
	cd "$WORK/www" || return
	printf 'int x;\n' >tree/p-1.0/x.c
	printf '#!/bin/sh\necho built\n' >tree/p-1.0/configure
	chmod 700 tree/p-1.0/configure
	chmod 600 tree/p-1.0/x.c
	ln -s ../x.c tree/p-1.0/sub/link
	tar -C tree -czf p.tar.gz p-1.0
	tar -C tree --format=gnu -cJf p.tar.xz p-1.0
	python3 "$BATS_TEST_DIRNAME/zips.py" tree p.zip bad
	cd - || return
	new_key "$WORK/key"
	TREE=$(glovebox tree "$WORK/www/tree" --digest | tail -n 1)
	export TREE
}
teardown_file() { end_file; }

setup()
{
	T=$(mktemp -d "$WORK/t.XXXXXX")
	chmod 755 "$T"
}

# spec FILE [FIELD]: a spec in $T whose source is that file of www, unpacked; with another field of the source.
spec()
{
	cat >"$T/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: unpacked }
spec:
  rootfs: { ref: "$ROOTFS" }
  sources:
    - name: p
      url: file://$WORK/www/$1
      digest: sha256:$(sha256sum <"$WORK/www/$1" | cut -d ' ' -f 1)
      ${2:-unpack: true}
      mount: /p
  build: { command: "cd p-1.0 && ./configure >out && cat sub/link >>out", artifact: { base: scratch } }
END
}

@test "tar and zip give the tree of the same files, and build the same image, again" {
	for file in p.tar.gz p.tar.xz p.zip; do
		spec $file
		is "$(glovebox plan "$T/build.yaml" | jq -r '.sources[0].digest')" "$TREE"
		is "$(glovebox plan "$T/build.yaml" | jq -c '.sources[0] | [.files, .bytes]')" "[2,28]"
		expect_status 0 glovebox run "$T/build.yaml" --out "$T/out" --key "$WORK/key.pem"
		cat "$T/out/image.digest" >>"$T/digests"
		expect_status 0 glovebox verify "$T/out" --key "$WORK/key.pub.pem"
		expect_status 0 glovebox reproduce "$T/out" --key "$WORK/key.pub.pem"
		# Also where nothing is remembered: of the file that the provenance names.
		rm -r "$GLOVEBOX_STORE/derived"
		expect_status 0 glovebox reproduce "$T/out" --key "$WORK/key.pub.pem"
	done
	is "$(sort -u "$T/digests" | wc -l)" 1
}

@test "unpack is about files, and a file that is no archive is 6" {
	spec p.zip 'unpack: yes'
	expect_status 2 glovebox check "$T/build.yaml"
	spec tree/p-1.0/x.c
	expect_status 6 glovebox plan "$T/build.yaml"
	expect_output "build.yaml:7:"
	expect_output "unpack 'file://"
	sed -i 's#url: .*#path: .#; /digest: /d' "$T/build.yaml"
	expect_status 2 glovebox check "$T/build.yaml"
	expect_output "about a source with a url"
	: >"$WORK/www/empty"
	spec empty
	expect_status 6 glovebox plan "$T/build.yaml"
}

@test "hostile zips are refused by name, quickly, and nothing is written outside" {
	before=$(find "$WORK/www" "$WORK/rootfs" -printf '%p %s %T@\n' | sort | sha256sum)
	n=0
	mapfile -t rows <"$WORK/www/bad/list"
	for row in "${rows[@]}"; do
		name=${row%%$'\t'*} why=${row#*$'\t'}
		spec "bad/$name.zip"
		expect_status 6 timeout 300 "$GLOVEBOX" plan "$T/build.yaml" || { echo "$name" >&2; return 1; }
		expect_output "$why" || { echo "$name" >&2; return 1; }
		n=$((n + 1))
	done
	[ "$n" -gt 20 ]
	is "$(find "$WORK/www" "$WORK/rootfs" -printf '%p %s %T@\n' | sort | sha256sum)" "$before"
	is "$(find "$GLOVEBOX_STORE/tmp" -type f)" ""
	is "$(find "$WORK" -name 'escaped*')" ""
}

@test "odd zips that mean no harm are read by the written rules" {
	for name in dos stored later utf8-ascii comment fifo overlap twice; do
		spec "bad/ok-$name.zip"
		expect_status 0 glovebox plan "$T/build.yaml"
	done
	# The last entry of a path stands, and the directory counts, not what streams by.
	spec bad/ok-twice.zip
	is "$(glovebox plan "$T/build.yaml" | jq -c '.sources[0] | [.files, .bytes]')" "[1,6]"
}

@test "hostile tars meet the rules of root filesystems, and devices are refused" {
	python3 - "$WORK/www/bad" <<'END'
import io, sys, tarfile
def tar(name, *members):
    with tarfile.open(f"{sys.argv[1]}/{name}.tar", "w") as t:
        for path, kind, data in members:
            i = tarfile.TarInfo(path)
            i.type = kind
            if kind == tarfile.REGTYPE:
                i.size = len(data)
                t.addfile(i, io.BytesIO(data))
            else:
                i.linkname = data.decode()
                t.addfile(i)
tar("up", ("../escaped", tarfile.REGTYPE, b"x"))
tar("through", ("l", tarfile.SYMTYPE, b"/tmp"), ("l/escaped", tarfile.REGTYPE, b"x"))
tar("device", ("null", tarfile.CHRTYPE, b""))
tar("fifo", ("f", tarfile.FIFOTYPE, b""))
END
	for row in "up|with '..'" "through|lies below 'l'" "device|a device, a fifo or a socket" "fifo|a device, a fifo or a socket"; do
		spec "bad/${row%%|*}.tar"
		expect_status 6 glovebox plan "$T/build.yaml"
		expect_output "${row#*|}"
	done
}
