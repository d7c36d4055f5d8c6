#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bills of materials: five images of different make, each before judges that others wrote; signed, verified, reproduced.
load lib

setup_file()
{
	begin_file
	new_key "$WORK/key"
	# From a directory that an ordinary user's tests have too.
	export JUDGE=${O:-build}/judges/validate-sbom.mjs
}
teardown_file() { end_file; }

# image_of NAME DIR: an image of nothing but what is in DIR, in $WORK/NAME/out.
image_of()
{
	mkdir -p "$WORK/$1"
	cat >"$WORK/$1/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata:
  name: $1
spec:
  rootfs:
    ref: $ROOTFS
  sources:
    - {name: tree, path: $2, mount: /tree}
  build:
    command: 'true'
    artifact:
      imageName: registry.example.com/e2e/$1
      base: scratch
      layers: [{from: tree, to: /}]
      config:
        labels: {org.opencontainers.image.vendor: Example}
END
	"$GLOVEBOX" run "$WORK/$1/build.yaml" --out "$WORK/$1/out" --key "$WORK/key.pem"
}

# to_be_judged NAME: both documents of that image, when all are there.
to_be_judged()
{
	printf '%s\n' "$WORK/$1/out/sbom.cdx.json" "$WORK/$1/out/sbom.spdx.json" >>"$WORK/documents"
	is "$(jq -r '.compositions[0].aggregate' "$WORK/$1/out/sbom.cdx.json")" "${2:-complete}"
}

# purls NAME: package URLs of both documents, which are the same.
purls()
{
	local cdx spdx
	cdx=$(jq -r '.components[] | select(.type == "library") | .purl' "$WORK/$1/out/sbom.cdx.json" | sort)
	spdx=$(jq -r '.packages[] | select(.SPDXID | startswith("SPDXRef-Package-")) | .externalRefs[0].referenceLocator' "$WORK/$1/out/sbom.spdx.json" | sort)
	is "$cdx" "$spdx"
	printf '%s\n' "$cdx"
}

# owned NAME PACKAGE: paths of the files in that component.
owned()
{
	jq -r --arg name "$2" '.components[] | select(.name == $name) | .components[]?.name' "$WORK/$1/out/sbom.cdx.json" | sort
}

@test "Debian: the packages of this host's own database, with files and licences" {
	local tree=$WORK/debian/tree package names=(bash coreutils dpkg libc6 sed tar)
	mkdir -p "$tree/var/lib/dpkg/info" "$tree/etc" "$tree/usr/bin"
	ln -s usr/bin "$tree/bin"
	cp /etc/os-release "$tree/etc/os-release"
	for package in "${names[@]}"; do
		dpkg-query -s "$package" | sed '/^$/d'
		echo
		find /var/lib/dpkg/info \( -name "$package.list" -o -name "$package:*.list" \) -exec cp {} "$tree/var/lib/dpkg/info" \;
		dpkg-query -L "$package" | while IFS= read -r file; do
			[ ! -f "$file" ] || [ -L "$file" ] || [ ! -r "$file" ] || printf '%s\0' "$file" >>"$WORK/debian/files"
		done
	done >"$tree/var/lib/dpkg/status"
	tar -C / -P --null -T "$WORK/debian/files" -cf - | tar -C "$tree" -xf - --keep-directory-symlink
	image_of debian "$tree"
	to_be_judged debian
	purls debian >"$WORK/debian/purls"
	is "$(wc -l <"$WORK/debian/purls")" ${#names[@]}
	for package in "${names[@]}"; do
		grep -q "^pkg:deb/debian/$package@.*?arch=[a-z0-9]*&distro=debian-[0-9]*$" "$WORK/debian/purls"
	done
	[ "$(owned debian tar | wc -l)" -gt 3 ]
	owned debian bash | grep -qx usr/bin/bash
	# What it needs and is there.
	jq -e '. as $b | ($b.components[] | select(.name == "bash")."bom-ref") as $bash | ($b.components[] | select(.name == "libc6")."bom-ref") as $libc
		| $b.dependencies[] | select(.ref == $bash).dependsOn | index($libc) != null' "$WORK/debian/out/sbom.cdx.json"
	jq -e '.components[] | select(.name == "tar").licenses' "$WORK/debian/out/sbom.cdx.json"
}

@test "Alpine: its database of what is installed" {
	local tree=$WORK/alpine/tree
	mkdir -p "$tree/lib/apk/db" "$tree/bin" "$tree/etc"
	printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\n' >"$tree/etc/os-release"
	cp tests/e2e/data/apk-installed "$tree/lib/apk/db/installed"
	echo musl >"$tree/lib/ld-musl-x86_64.so.1"
	echo busybox >"$tree/bin/busybox"
	echo own >"$tree/etc/own.conf"
	image_of alpine "$tree"
	to_be_judged alpine
	is "$(purls alpine)" "pkg:apk/alpine/alpine-baselayout-data@3.6.5-r0?arch=x86_64&distro=alpine-3.20.3
pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64&distro=alpine-3.20.3
pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3"
	is "$(owned alpine busybox)" bin/busybox
	# And what nobody owns.
	jq -e --arg sum "$(sha256sum "$tree/etc/own.conf" | cut -d' ' -f1)" \
		'.components[] | select(.type == "file" and .name == "etc/own.conf") | .hashes[0].content == $sum' "$WORK/alpine/out/sbom.cdx.json"
}

@test "scratch: one binary, which is all there is" {
	mkdir -p "$WORK/scratch/tree/bin"
	cp "$(command -v busybox)" "$WORK/scratch/tree/bin/hello"
	image_of scratch "$WORK/scratch/tree"
	to_be_judged scratch
	is "$(purls scratch)" ""
	is "$(jq -r '[.components[] | select(.type == "file") | .name] | join(" ")' "$WORK/scratch/out/sbom.cdx.json")" bin/hello
	is "$(jq -r '.files[0].checksums[0].checksumValue' "$WORK/scratch/out/sbom.spdx.json")" "$(sha1sum "$WORK/scratch/tree/bin/hello" | cut -d' ' -f1)"
}

@test "Node: real packages, each with the files below it" {
	local tree=$WORK/node/tree
	mkdir -p "$tree/app"
	cp -R "${O:-build}/judges/node_modules" "$tree/app/node_modules"
	cp tests/e2e/judges/package.json tests/e2e/judges/package-lock.json "$tree/app"
	image_of node "$tree"
	to_be_judged node
	# All that npm itself finds there.
	(cd "$tree/app" && HOME=$WORK npm ls --all --parseable --long) | cut -d: -f2 | sort -u >"$WORK/node/theirs"
	[ "$(wc -l <"$WORK/node/theirs")" -gt 20 ]
	is "$(jq -r '.components[] | select(.type == "library") | (if .group then .group + "/" else "" end) + "\(.name)@\(.version)"' "$WORK/node/out/sbom.cdx.json" |
		sort -u | comm -23 "$WORK/node/theirs" -)" ""
	purls node | grep -qx 'pkg:npm/ajv@[0-9.]*'
	purls node | grep -qx 'pkg:npm/%40cyclonedx/cyclonedx-library@[0-9.]*'
	purls node | grep -qx 'pkg:npm/glovebox-judges@0.0.0'
	owned node ajv | grep -qx app/node_modules/ajv/package.json
	jq -e '.components[] | select(.name == "ajv").licenses[0].license.id == "MIT"' "$WORK/node/out/sbom.cdx.json"
}

@test "Python: an installed wheel" {
	local site=$WORK/python/tree/usr/lib/python3/site-packages
	mkdir -p "$site/demo_wheel-1.2.dist-info" "$site/demo" "$WORK/python/tree/usr/bin"
	printf 'Metadata-Version: 2.1\nName: Demo.Wheel\nVersion: 1.2\nAuthor: Ann\nLicense-Expression: Apache-2.0\n\nProse.\n' >"$site/demo_wheel-1.2.dist-info/METADATA"
	printf 'demo/__init__.py,sha256=x,5\n../../../bin/demo,,\ndemo_wheel-1.2.dist-info/METADATA,,\ndemo_wheel-1.2.dist-info/RECORD,,\n' >"$site/demo_wheel-1.2.dist-info/RECORD"
	echo pass >"$site/demo/__init__.py"
	echo run >"$WORK/python/tree/usr/bin/demo"
	image_of python "$WORK/python/tree"
	to_be_judged python
	is "$(purls python)" pkg:pypi/demo-wheel@1.2
	is "$(python3 -c 'import importlib.metadata, sys
print(*(d.name + " " + d.version for d in importlib.metadata.distributions(path=sys.argv[1:])))' "$site")" \
		"$(jq -r '.components[] | select(.type == "library") | .name + " " + .version' "$WORK/python/out/sbom.cdx.json")"
	is "$(owned python Demo.Wheel | wc -l)" 4
}

# make_rpms DIR: packages, made by rpmbuild, in DIR/rpms; one has a list of files that takes pages of a database, and there are some forty.
make_rpms()
{
	local i dir=$1
	mkdir -p "$dir"
	{
		cat <<'END'
Name: hello
Epoch: 2
Version: 1.0~rc1
Release: 3.fc40
Summary: Says hello
License: GPL-2.0-or-later AND MIT
Vendor: Example Project
Requires: libhello, /usr/bin/tool-7
%description
Text.
%package -n libhello
Summary: A library
License: ASL 2.0
%description -n libhello
Text.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib %{buildroot}/etc %{buildroot}/usr/share/many
echo hello >%{buildroot}/usr/bin/hello
echo library >%{buildroot}/usr/lib/libhello.so.1
echo conf >%{buildroot}/etc/hello.conf
for i in $(seq 1000); do : >%{buildroot}/usr/share/many/file-$i; done
for i in $(seq 40); do echo $i >%{buildroot}/usr/bin/tool-$i; done
%files
/usr/bin/hello
/usr/share/many
%config /etc/hello.conf
%files -n libhello
/usr/lib/libhello.so.1
END
		for ((i = 1; i <= 40; i++)); do
			printf '%%package -n tool%s\nSummary: A tool\nLicense: BSD-3-Clause\n%%description -n tool%s\nText.\n%%files -n tool%s\n/usr/bin/tool-%s\n' $i $i $i $i
		done
	} >"$dir/hello.spec"
	HOME=$dir rpmbuild -bb --quiet --target noarch --define "_topdir $dir/top" --define "_rpmdir $dir/rpms" "$dir/hello.spec"
}

# rpm_lists NAME [OPTION…]: what rpm itself says of the packages in that tree is what both documents say: names, epochs, versions, licences, files.
rpm_lists()
{
	local name=$1 tree=$WORK/$1/tree
	shift
	to_be_judged "$name"
	HOME=$WORK rpm "$@" -qa --qf '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH} %{VENDOR} %{LICENSE}\n' | sed 's/ASL 2.0/Apache-2.0/' | sort >"$WORK/$name/theirs"
	jq -r '.components[] | select(.type == "library") | "\(.name) \(.version) \(.purl | capture("arch=(?<a>[a-z0-9]*)").a) \(.supplier.name) " +
		(.licenses[0] | .expression // .license.id)' "$WORK/$name/out/sbom.cdx.json" | sort >"$WORK/$name/ours"
	diff "$WORK/$name/theirs" "$WORK/$name/ours"
	is "$(purls "$name" | wc -l)" 42
	purls "$name" | grep -qxF 'pkg:rpm/fedora/hello@1.0~rc1-3.fc40?arch=noarch&distro=fedora-40&epoch=2'
	HOME=$WORK rpm "$@" -qa --qf '[%{=NAME} %{FILENAMES}\n]' | grep -v ' /usr/share/many$' | sort >"$WORK/$name/theirs"
	jq -r '.components[] | select(.type == "library") | .name as $n | .components[]? | "\($n) /\(.name)"' "$WORK/$name/out/sbom.cdx.json" | sort >"$WORK/$name/ours"
	diff "$WORK/$name/theirs" "$WORK/$name/ours"
	jq -e '. as $b | [$b.components[] | select(.name == "libhello" or .name == "tool7")."bom-ref"] as $needed | ($b.components[] | select(.name == "hello")."bom-ref") as $hello
		| $b.dependencies[] | select(.ref == $hello).dependsOn | contains($needed)' "$WORK/$name/out/sbom.cdx.json"
}

@test "rpm: the packages of a database that rpm itself has made" {
	local tree=$WORK/rpm/tree package
	make_rpms "$WORK/rpm"
	mkdir -p "$tree/usr/lib/sysimage/rpm" "$tree/etc"
	printf 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\n' >"$tree/etc/os-release"
	HOME=$WORK rpm --dbpath "$tree/usr/lib/sysimage/rpm" --initdb
	HOME=$WORK rpm --dbpath "$tree/usr/lib/sysimage/rpm" -i --justdb --nodeps --force-debian "$WORK"/rpm/rpms/noarch/*.rpm
	for package in "$WORK"/rpm/rpms/noarch/*.rpm; do
		bsdtar -xf "$package" -C "$tree"
	done
	image_of rpm "$tree"
	rpm_lists rpm --dbpath "$tree/usr/lib/sysimage/rpm"
}

# same_as_rpm NAME: the same packages, in a tree that differs in nothing but its database; their order is the database's own.
same_as_rpm()
{
	local name
	for name in rpm "$1"; do
		jq -S '[.components[] | select(.type == "library") | del(.evidence, ."bom-ref")] | sort_by(.name)' "$WORK/$name/out/sbom.cdx.json" >"$WORK/$name/packages"
	done
	cmp "$WORK/rpm/packages" "$WORK/$1/packages"
}

# tree_of_rpm NAME: a copy of that tree without its database, which lies in $WORK/rpm/tree.
tree_of_rpm()
{
	mkdir -p "$WORK/$1"
	cp -R "$WORK/rpm/tree" "$WORK/$1/tree"
	rm -r "$WORK/$1/tree/usr/lib/sysimage"
}

@test "rpm: the same packages in Berkeley DB's form, as rpm reads it" {
	local tree=$WORK/bdb/tree
	tree_of_rpm bdb
	mkdir -p "$tree/var/lib/rpm"
	tests/e2e/rpmdb.py bdb "$WORK/rpm/tree/usr/lib/sysimage/rpm/rpmdb.sqlite" | db5.3_load "$tree/var/lib/rpm/Packages"
	image_of bdb "$tree"
	rpm_lists bdb --define '_db_backend bdb_ro' --dbpath "$tree/var/lib/rpm"
	same_as_rpm bdb
}

@test "rpm: the same packages in the form ndb" {
	local tree=$WORK/ndb/tree
	tree_of_rpm ndb
	mkdir -p "$tree/usr/lib/sysimage/rpm"
	tests/e2e/rpmdb.py ndb "$WORK/rpm/tree/usr/lib/sysimage/rpm/rpmdb.sqlite" >"$tree/usr/lib/sysimage/rpm/Packages.db"
	image_of ndb "$tree"
	to_be_judged ndb
	same_as_rpm ndb
}

@test "rpm: a database that is damaged is told of, and what lies before is listed" {
	local tree=$WORK/damaged/tree
	tree_of_rpm damaged
	mkdir -p "$tree/usr/lib/sysimage/rpm"
	head -c 200000 "$WORK/rpm/tree/usr/lib/sysimage/rpm/rpmdb.sqlite" >"$tree/usr/lib/sysimage/rpm/rpmdb.sqlite"
	image_of damaged "$tree"
	to_be_judged damaged incomplete
	jq -r .comment "$WORK/damaged/out/sbom.spdx.json" | grep -q '^/usr/lib/sysimage/rpm/rpmdb.sqlite: '
}

@test "a file that makes no sense is told of, and its image is still listed" {
	mkdir -p "$WORK/odd/tree/a" "$WORK/odd/tree/b"
	echo 'no json' >"$WORK/odd/tree/a/package.json"
	echo '{"name":"b","version":"1"}' >"$WORK/odd/tree/b/package.json"
	image_of odd "$WORK/odd/tree"
	to_be_judged odd incomplete
	is "$(purls odd)" pkg:npm/b@1
	jq -r .comment "$WORK/odd/out/sbom.spdx.json" | grep -q '^/a/package.json: '
}

@test "a base image: what each of its layers brings, as far as it is still there" {
	local dir=$WORK/base
	mkdir -p "$dir/one/a" "$dir/one/etc" "$dir/two/a"
	echo '{"name":"a","version":"1"}' >"$dir/one/a/package.json"
	echo one >"$dir/one/etc/one"
	echo '{"name":"a","version":"2"}' >"$dir/two/a/package.json"
	digest=$(glovebox image pack "$dir/one" -o "$dir/one.tar" --json | jq -r .digest)
	digest=$(glovebox image pack "$dir/two" -o "$dir/two.tar" --base "oci:$dir/one.tar@$digest" --json | jq -r .digest)
	new_spec "$dir/spec" 'echo built >built'
	sed -i "s|base: scratch|base: oci:$dir/two.tar@$digest|" "$dir/spec/build.yaml"
	glovebox run "$dir/spec/build.yaml" --out "$dir/out" --key "$WORK/key.pem"
	to_be_judged base
	is "$(purls base)" pkg:npm/a@2
	layers=$(jq -r '[.dependencies[] | select(.ref | startswith("layer-")) | .ref + ":" + ((.dependsOn // []) | length | tostring)] | join(" ")' "$dir/out/sbom.cdx.json")
	is "$layers" "layer-0:1 layer-1:1 layer-2:3"
	is "$(jq -r '.packages[] | select(.name == "base" and .primaryPackagePurpose == "SOURCE") | .checksums[0].checksumValue' "$dir/out/sbom.spdx.json")" "${digest#sha256:}"
	# The second time the store remembers.
	glovebox run "$dir/spec/build.yaml" --out "$dir/again" --no-cache
	cmp "$dir/out/sbom.cdx.json" "$dir/again/sbom.cdx.json"
}

@test "the judges accept them all" {
	local documents
	mapfile -t documents <"$WORK/documents"
	is ${#documents[@]} 22
	# One process: it takes seconds to read what it judges by.
	expect_status 0 node "$JUDGE" "${documents[@]}"
	is "$(grep -c ': accepted$' <<<"$output")" 22
	# They can refuse.
	jq -c 'del(.components[0]."bom-ref")' "${documents[0]}" >"$WORK/lie.cdx.json"
	jq -c '.packages[0].SPDXID = "none"' "${documents[1]}" >"$WORK/lie.spdx.json"
	expect_status 1 node "$JUDGE" "$WORK/lie.cdx.json" "$WORK/lie.spdx.json"
	is "$(grep -c ': refused:$' <<<"$output")" 2
}

@test "both are listed, named in the provenance, signed with the image as subject, and verified" {
	local out=$WORK/scratch/out kind
	is "$(jq -r '.sboms[] | .format + " " + .path + " " + .bundle' "$out/result.json")" \
		"cyclonedx-1.6 sbom.cdx.json sbom.cdx.json.sigstore.json
spdx-2.3 sbom.spdx.json sbom.spdx.json.sigstore.json"
	for kind in cdx spdx; do
		is "$(jq -r --arg name "sbom.$kind.json" '.sboms[] | select(.path == $name).digest' "$out/result.json")" "sha256:$(sha256sum <"$out/sbom.$kind.json" | cut -d' ' -f1)"
		is "$(jq -r '.dsseEnvelope.payload' "$out/sbom.$kind.json.sigstore.json" | base64 -d | jq -c .predicate)" "$(jq -c . "$out/sbom.$kind.json")"
		is "$(jq -r '.dsseEnvelope.payload' "$out/sbom.$kind.json.sigstore.json" | base64 -d | jq -r '"sha256:" + .subject[0].digest.sha256')" "$(cat "$out/image.digest")"
		expect_status 0 node "${O:-build}/judges/verify-bundle.mjs" "$out/sbom.$kind.json.sigstore.json" "$WORK/key.pub.pem"
	done
	expect_status 0 glovebox verify "$out" --key "$WORK/key.pub.pem" --require sbom
	expect_output https://cyclonedx.org/bom
	expect_output https://spdx.dev/Document/v2.3
}

@test "a document that was changed does not verify" {
	local copy=$WORK/changed
	cp -R "$WORK/scratch/out" "$copy"
	sed -i s/hello/hallo/ "$copy/sbom.spdx.json"
	expect_status 4 glovebox verify "$copy" --key "$WORK/key.pub.pem"
	expect_output "sbom.spdx.json' is not the bill of materials"
	ln -sf /dev/zero "$copy/sbom.spdx.json"
	expect_status 4 timeout 300 "$GLOVEBOX" verify "$copy" --key "$WORK/key.pub.pem"
	rm "$copy/sbom.spdx.json"
	expect_status 0 glovebox verify "$copy" --key "$WORK/key.pub.pem"
	# One bundle of another image's.
	cp "$WORK/odd/out/sbom.spdx.json.sigstore.json" "$copy"
	expect_status 4 glovebox verify "$copy" --key "$WORK/key.pub.pem" --require sbom
}

@test "the same image gives the same documents, from the store and made anew" {
	local spec=$WORK/scratch/build.yaml kind
	expect_status 0 glovebox run "$spec" --out "$WORK/again"
	expect_status 0 glovebox run "$spec" --out "$WORK/anew" --no-cache
	for kind in cdx spdx; do
		cmp "$WORK/scratch/out/sbom.$kind.json" "$WORK/again/sbom.$kind.json"
		cmp "$WORK/scratch/out/sbom.$kind.json" "$WORK/anew/sbom.$kind.json"
		# Nobody has signed.
		[ ! -e "$WORK/again/sbom.$kind.json.sigstore.json" ]
	done
	is "$(jq -r '.sboms | length' "$WORK/again/result.json")" 2
}

@test "reproduce makes them again, and compares" {
	expect_status 0 glovebox reproduce "$WORK/scratch/out" --key "$WORK/key.pub.pem"
	expect_status 0 glovebox reproduce "$WORK/base/out" --key "$WORK/key.pub.pem"
	# Recorded as something else, by who need not sign.
	cp -R "$WORK/again" "$WORK/other"
	jq -cSj '(.predicate.runDetails.byproducts[] | select(.name == "sbom.spdx.json") | .digest.sha256) = ("0" * 64)' "$WORK/again/provenance.json" >"$WORK/other/provenance.json"
	expect_status 4 glovebox reproduce "$WORK/other" --unverified
	expect_output "its bill of materials is not: sbom.spdx.json"
	# What another version has written may tell of other things.
	jq -cSj '(.predicate.runDetails.byproducts[] | select(.name == "sbom.spdx.json") | .digest.sha256) = ("0" * 64) | .predicate.runDetails.builder.version.glovebox = "0.0.9"' \
		"$WORK/again/provenance.json" >"$WORK/other/provenance.json"
	expect_status 0 glovebox reproduce "$WORK/other" --unverified
}

@test "a spec says which are written" {
	new_spec "$WORK/one"
	echo '  sbom: {formats: [spdx-2.3]}' >>"$WORK/one/build.yaml"
	expect_status 0 glovebox run "$WORK/one/build.yaml" --out "$WORK/one/out"
	[ ! -e "$WORK/one/out/sbom.cdx.json" ]
	[ -s "$WORK/one/out/sbom.spdx.json" ]
	# One that nobody has signed for misleads as one that was changed does.
	expect_status 0 glovebox run "$WORK/one/build.yaml" --out "$WORK/one/signed" --key "$WORK/key.pem"
	expect_status 0 glovebox verify "$WORK/one/signed" --key "$WORK/key.pub.pem"
	cp "$WORK/scratch/out/sbom.cdx.json" "$WORK/one/signed"
	expect_status 4 glovebox verify "$WORK/one/signed" --key "$WORK/key.pub.pem"
	expect_output "sbom.cdx.json' lies there, and the provenance names no such bill of materials"
	sed -i 's/\[spdx-2.3\]/[]/' "$WORK/one/build.yaml"
	expect_status 0 glovebox run "$WORK/one/build.yaml" --out "$WORK/one/out"
	[ ! -e "$WORK/one/out/sbom.spdx.json" ]
	sed -i 's/\[\]/[spdx-3.0]/' "$WORK/one/build.yaml"
	expect_status 2 glovebox run "$WORK/one/build.yaml" --out "$WORK/one/out"
	expect_output "cyclonedx-1.6 or spdx-2.3"
}
