#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Another program's list of the packages in a tree (trivy, as cdxgen's plugins bring it) has none that glovebox's bill of materials lacks.
# For make check-long alone: it is a hundred megabytes.
load ../e2e/lib

setup_file()
{
	begin_file
	ORACLE=$(realpath "${O:-build}/oracle/trivy")
	export ORACLE
}
teardown_file() { end_file; }

# lists_all NAME LEAST: the tree $WORK/NAME/tree as an image; all that the oracle finds in it, which is LEAST or more, is in both documents.
lists_all()
{
	local dir=$WORK/$1
	cat >"$dir/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata:
  name: $1
spec:
  rootfs:
    ref: $ROOTFS
  sources:
    - {name: tree, path: tree, mount: /tree}
  build:
    command: 'true'
    artifact:
      base: scratch
      layers: [{from: tree, to: /}]
END
	"$GLOVEBOX" run "$dir/build.yaml" --out "$dir/out"
	"$ORACLE" rootfs --quiet --output "$dir/oracle.json" "$dir/tree"
	jq -r '.components[] | select(.purl) | .name + " " + .version' "$dir/oracle.json" | sort -u >"$dir/theirs"
	jq -r '.components[] | select(.type == "library") | .name + " " + .version' "$dir/out/sbom.cdx.json" | sort -u >"$dir/ours"
	jq -r '.packages[] | select(.SPDXID | startswith("SPDXRef-Package-")) | .name + " " + .versionInfo' "$dir/out/sbom.spdx.json" | sort -u | diff "$dir/ours" -
	[ "$(wc -l <"$dir/theirs")" -ge "$2" ]
	is "$(comm -23 "$dir/theirs" "$dir/ours")" ""
}

@test "all of this host's packages" {
	local tree=$WORK/debian/tree
	mkdir -p "$tree/var/lib/dpkg" "$tree/etc"
	cp /var/lib/dpkg/status "$tree/var/lib/dpkg/status"
	cp /etc/os-release /etc/debian_version "$tree/etc"
	lists_all debian 50
}

@test "packages of an image without dpkg" {
	local tree=$WORK/distroless/tree package
	mkdir -p "$tree/var/lib/dpkg/status.d" "$tree/etc"
	cp /etc/os-release /etc/debian_version "$tree/etc"
	for package in base-files libc6 dpkg; do
		dpkg-query -s "$package" | sed '/^Status:/d' >"$tree/var/lib/dpkg/status.d/$package"
	done
	lists_all distroless 3
}

@test "packages of Alpine" {
	local tree=$WORK/alpine/tree
	mkdir -p "$tree/lib/apk/db" "$tree/etc"
	printf 'ID=alpine\nVERSION_ID=3.20.3\n' >"$tree/etc/os-release"
	echo 3.20.3 >"$tree/etc/alpine-release"
	cp tests/e2e/data/apk-installed "$tree/lib/apk/db/installed"
	lists_all alpine 3
}
