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

# begin_rpm NAME PATH: a tree that is Fedora's, whose database is what comes on stdin.
begin_rpm()
{
	local tree=$WORK/$1/tree
	mkdir -p "$tree/etc" "$tree/$(dirname "$2")"
	printf 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\n' >"$tree/etc/os-release"
	echo 'Fedora release 40 (Forty)' >"$tree/etc/fedora-release"
	cat >"$tree/$2"
}

# same_purls NAME: not only names and versions are the same.
same_purls()
{
	diff <(jq -r '.components[] | select(.purl) | .purl' "$WORK/$1/oracle.json" | sort -u) \
		<(jq -r '.components[] | select(.type == "library") | .purl' "$WORK/$1/out/sbom.cdx.json" | sort -u)
}

@test "packages of rpm's databases, in each of their forms" {
	local i db=$WORK/rpm.db
	for i in 1 2 3 4; do
		printf '%s\n' "Name: package$i" "Epoch: $((i - 1))" "Version: 1.$i~rc" 'Release: 3.fc40' 'Summary: Text' 'License: MIT' '%description' Text '%files' >"$WORK/$i.spec"
		HOME=$WORK rpmbuild -bb --quiet --target noarch --define "_topdir $WORK/top" --define "_rpmdir $WORK/rpms" "$WORK/$i.spec"
	done
	HOME=$WORK rpm --dbpath "$db" -i --justdb --nodeps --force-debian "$WORK"/rpms/noarch/*.rpm
	begin_rpm sqlite usr/lib/sysimage/rpm/rpmdb.sqlite <"$db/rpmdb.sqlite"
	tests/e2e/rpmdb.py ndb "$db/rpmdb.sqlite" | begin_rpm ndb usr/lib/sysimage/rpm/Packages.db
	tests/e2e/rpmdb.py bdb "$db/rpmdb.sqlite" | db5.3_load "$WORK/Packages"
	begin_rpm bdb var/lib/rpm/Packages <"$WORK/Packages"
	for i in sqlite ndb bdb; do
		lists_all $i 4
		same_purls $i
	done
}
