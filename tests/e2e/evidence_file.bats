#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Evidence in one file: carried to an empty store it is verified and built again; with anything in it changed it is refused before building.
load lib

setup_file()
{
	begin_file
	mkdir "$WORK/files"
	new_spec "$WORK/spec" 'cp -r . /tmp/all && mkdir made && cat input.txt sub/* /data/extra > made/all && cp /bin/busybox made && ln -s all made/link'
	mkdir "$WORK/spec/sub" "$WORK/data"
	echo more >"$WORK/spec/sub/more"
	# A compiled Python file in a source stays as it is: only root filesystems have theirs amended.
	printf '\x6f\x0d\x0d\x0a\0\0\0\0\1\2\3\4\5\6\7\10more' >"$WORK/spec/sub/x.pyc"
	echo extra >"$WORK/data/extra"
	chmod 755 "$WORK/data/extra"
	python3 - "$WORK/spec/build.yaml" "$WORK/data" <<-'END'
		import sys
		p = sys.argv[1]
		s = open(p).read().replace("  build:", "  sources:\n  - {name: src, path: ., mount: /src}\n  - {name: data, path: %s, mount: /data}\n  build:" % sys.argv[2], 1)
		open(p, 'w').write(s)
	END
	new_key "$WORK/key"
	new_key "$WORK/other"
	"$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem" --evidence "$WORK/files/run.evidence"
}
teardown_file() { end_file; }

reproduce() { glovebox reproduce "$@" --key "$WORK/key.pub.pem" --store "$WORK/store-$BATS_TEST_NUMBER"; }
verify() { glovebox verify "$@" --key "$WORK/key.pub.pem"; }

@test "evidence alone, in an empty store, gives the same bits" {
	rm -rf "$WORK/away" && mkdir "$WORK/away"
	mv "$WORK/spec" "$WORK/data" "$WORK/out" "$WORK/away"
	expect_status 0 reproduce "$WORK/files/run.evidence" --keep "$WORK/kept"
	expect_output "reproduced: identical"
	mv "$WORK/away"/* "$WORK"
	cmp "$WORK/kept/image.tar" "$WORK/out/image.tar"
	expect_status 4 glovebox reproduce "$WORK/files/run.evidence" --key "$WORK/other.pub.pem" --store "$WORK/store-$BATS_TEST_NUMBER"
}

@test "another user reproduces it, too" {
	[ "$(id -u)" = 0 ] || return 0
	program=$(program_for_others)
	mkdir "$WORK/theirs"
	chown 4321:4321 "$WORK/theirs"
	cp "$WORK/key.pub.pem" "$WORK/files"
	chmod -R go+rX "$WORK/files"
	expect_status 0 setpriv --reuid 4321 --regid 4321 --clear-groups env -u GLOVEBOX_STORE HOME="$WORK/theirs" \
		"$program" reproduce "$WORK/files/run.evidence" --key "$WORK/files/key.pub.pem" --store "$WORK/theirs/store"
	expect_output "reproduced: identical"
}

@test "what an ordinary user built, root reproduces, too" {
	[ "$(id -u)" = 0 ] || return 0
	local as=(setpriv --reuid 4321 --regid 4321 --clear-groups env -u GLOVEBOX_STORE HOME="$WORK/ours" "$WORK/program/glovebox")
	[ -e "$WORK/program" ] || program_for_others
	mkdir "$WORK/ours"
	chown 4321:4321 "$WORK/ours"
	"${as[@]}" rootfs import tiny "$WORK/rootfs"
	cp -r "$WORK/spec" "$WORK/ours/spec"
	chown -R 4321:4321 "$WORK/ours"
	"${as[@]}" key generate "$WORK/ours/key"
	"${as[@]}" run "$WORK/ours/spec/build.yaml" --out "$WORK/ours/out" --key "$WORK/ours/key.pem" --evidence "$WORK/ours/run.evidence"
	# Its inputs are the same, and so are its bits.
	is "$(cat "$WORK/ours/out/image.digest")" "$(cat "$WORK/out/image.digest")"
	expect_status 0 glovebox reproduce "$WORK/ours/run.evidence" --key "$WORK/ours/key.pub.pem" --store "$WORK/store-$BATS_TEST_NUMBER" --keep "$WORK/ours-kept"
	expect_output "reproduced: identical"
	cmp "$WORK/ours-kept/image.tar" "$WORK/ours/out/image.tar"
}

@test "inputs of every other kind are in it: files by URL, commits, included files, a lock, a profile of one's own" {
	local dir=$WORK/kinds
	new_spec "$dir"
	echo fetched >"$WORK/fetched.txt"
	tar -cf "$WORK/archive.tar" -C "$WORK/data" .
	git init -q "$WORK/repo"
	echo versioned >"$WORK/repo/file"
	git -C "$WORK/repo" add file
	git -C "$WORK/repo" -c user.name=x -c user.email=x@example.com commit -qm x
	{ glovebox profile show default; echo '# mine'; } >"$dir/mine.yaml"
	printf 'apiVersion: platform.build/v1\nkind: BuildSpec\nspec:\n  sandbox: {env: {FROM: include}}\n' >"$dir/part.yaml"
	cat >"$dir/build.yaml" <<-END
		apiVersion: platform.build/v1
		kind: BuildSpec
		metadata: {name: kinds}
		spec:
		  include: [{path: part.yaml, digest: "sha256:$(sha256sum <"$dir/part.yaml" | cut -d' ' -f1)"}]
		  rootfs: {ref: tiny}
		  sandbox: {profile: ./mine.yaml}
		  sources:
		  - {name: src, path: ., mount: /src}
		  - {name: file, url: "file://$WORK/fetched.txt", digest: "sha256:$(sha256sum <"$WORK/fetched.txt" | cut -d' ' -f1)", mount: /file}
		  - {name: archive, url: "file://$WORK/archive.tar", unpack: true, mount: /archive}
		  - {name: repo, git: {url: "$WORK/repo", commit: "$(git -C "$WORK/repo" rev-parse HEAD)"}, mount: /repo}
		  build:
		    command: 'cat /file/* /archive/* /repo/file >all; echo \$FROM >>all'
		    artifact: {imageName: e2e/kinds, base: scratch}
	END
	glovebox lock "$dir/build.yaml"
	expect_status 0 glovebox run "$dir/build.yaml" --out "$WORK/kinds-out" --key "$WORK/key.pem" --evidence "$WORK/kinds.evidence"
	# Files have no manifest: a file is its own.
	is "$(ls "$WORK/kinds-out/trees")" "$(printf '%s.mtree\n' output rootfs source-repo source-src)"
	expect_status 0 verify "$WORK/kinds-out"
	expect_status 0 verify "$WORK/kinds.evidence"
	rm -rf "$WORK/repo" "$WORK/archive.tar" "$WORK/fetched.txt"
	expect_status 0 reproduce "$WORK/kinds.evidence"
	expect_output "reproduced: identical"
}

@test "it verifies, deeply and by a policy, and says the same as the out directory" {
	expect_status 0 verify "$WORK/files/run.evidence" --deep
	said=$output
	expect_status 0 verify "$WORK/out" --deep
	is "$said" "$output"
	expect_status 0 verify "$WORK/files/run.evidence" --require provenance
	expect_status 4 verify "$WORK/files/run.evidence" --require sbom
	expect_status 4 glovebox verify "$WORK/files/run.evidence" --key "$WORK/other.pub.pem"
}

@test "other tools find the image in it, and every blob under its digest" {
	cp "$WORK/files/run.evidence" "$WORK/evidence.tar"
	is "$(skopeo --tmpdir "$WORK" inspect --format '{{.Digest}}' "oci-archive:$WORK/evidence.tar:latest")" "$(cat "$WORK/out/image.digest")"
	mkdir "$WORK/layout"
	tar -C "$WORK/layout" -xf "$WORK/evidence.tar"
	for blob in "$WORK"/layout/blobs/sha256/*; do
		is "$(sha256sum <"$blob" | cut -d' ' -f1)" "${blob##*/}"
	done
	manifest=$WORK/layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$WORK/layout/index.json")
	jq -e --arg image "$(cat "$WORK/out/image.digest")" '.subject.digest == $image and .artifactType == "application/vnd.glovebox.evidence.v1" and
		([.layers[].annotations["org.opencontainers.image.title"]] | sort) ==
		["profile", "provenance.sigstore.json", "rootfs", "source/data", "source/src", "spec",
		"trees/output.mtree", "trees/rootfs.mtree", "trees/source-data.mtree", "trees/source-src.mtree"]' "$manifest"
	# A manifest's blob is called as its tree is.
	for name in output rootfs source-data source-src; do
		cmp "$WORK/out/trees/$name.mtree" "$WORK/layout/blobs/sha256/$(sha256sum <"$WORK/out/trees/$name.mtree" | cut -d' ' -f1)"
	done
}

@test "what is the image's layer, too, is there once" {
	new_spec "$WORK/based" 'mkdir made && echo x > made/twice'
	sed -i 's/base: scratch/base: rootfs/' "$WORK/based/build.yaml"
	glovebox run "$WORK/based/build.yaml" --out "$WORK/based-out" --evidence "$WORK/based.evidence"
	rootfs=$(tar -xOf "$WORK/based.evidence" index.json | jq -r '.manifests[0].digest[7:]' |
		xargs -I{} tar -xOf "$WORK/based.evidence" blobs/sha256/{} |
		jq -r '.layers[] | select(.annotations["org.opencontainers.image.title"] == "rootfs") | .digest[7:]')
	tar -tf "$WORK/based-out/image.tar" | grep -q "$rootfs"
	is "$(tar -tf "$WORK/based.evidence" | grep -c "$rootfs")" 1
	# Nobody signed it: it is built again, and does not verify.
	expect_status 0 glovebox reproduce "$WORK/based.evidence" --unverified --store "$WORK/store-$BATS_TEST_NUMBER"
	expect_status 4 verify "$WORK/based.evidence"
	expect_output "has no provenance.sigstore.json"
	expect_status 4 reproduce "$WORK/based.evidence"
}

# forge MODE NEW: a lying copy.
forge() { python3 "$BATS_TEST_DIRNAME/forge_evidence.py" "$1" "$WORK/files/run.evidence" "$2"; }

@test "a blob that is named five hundred times is read once" {
	forge layer-repeated "$WORK/lie"
	# Seconds of processor time: 16 GiB are not hashed within them.
	expect_status 4 prlimit --cpu=3 "$GLOVEBOX" verify "$WORK/lie" --key "$WORK/key.pub.pem"
	expect_output "the image archive is"
	rm "$WORK/lie"
}

@test "with one input changed it is refused before anything is built" {
	while IFS='|' read -r mode reason; do
		read -r mode <<<"$mode"
		read -r reason <<<"$reason"
		forge "$mode" "$WORK/lie"
		expect_status 4 verify "$WORK/lie" || { echo "$mode"; return 1; }
		expect_output "$reason" || { echo "$mode"; return 1; }
		expect_status 4 reproduce "$WORK/lie" || { echo "$mode"; return 1; }
		expect_output "$reason" || { echo "$mode"; return 1; }
		[[ $output != *"build again"* ]] || { echo "$mode"; return 1; }
		rm "$WORK/lie"
	done <<-'END'
		source-byte       | another digest than its name
		source-restated   | input 'src'
		source-swapped    | input 'data'
		rootfs-restated   | input 'rootfs'
		source-missing    | input 'data'
		spec-restated     | input 'spec'
		profile-missing   | input 'profile'
		rootfs-is-manifest | input 'rootfs'
		source-is-manifest | input 'data'
		manifest-restated | 'trees/output.mtree' is not what the provenance names so
		manifest-swapped  | 'trees/output.mtree' is not what the provenance names so
		manifest-unnamed  | 'trees/evil.mtree' is not what the provenance names so
		manifest-repeated | has 'trees/rootfs.mtree' twice
		manifest-missing  | 'trees/output.mtree'
		layer-swapped     | the image archive is
		tag               | the image archive is
		bundle-byte       | the signature does not match
		no-bundle         | has no provenance.sigstore.json
		extra-manifest    | names something else
		cut               | read an archive
		appended          | read an archive
	END
}

@test "without manifests, as older versions wrote it, it is as good" {
	forge no-manifests "$WORK/older"
	expect_status 0 verify "$WORK/older" --deep
	expect_status 0 reproduce "$WORK/older"
	expect_output "reproduced: identical"
	rm "$WORK/older"
}

@test "evidence goes where it can be written, or nothing is built" {
	expect_status 2 glovebox run "$WORK/spec/build.yaml" --out "$WORK/out3" --evidence "$WORK/nowhere/x.evidence"
	expect_output "--evidence"
	expect_status 2 glovebox run "$WORK/spec/build.yaml" --out "$WORK/out3" --evidence "$WORK/files/"
	# A build that fails leaves none, and an older one as it is.
	new_spec "$WORK/fails" 'exit 3'
	echo old >"$WORK/old.evidence"
	expect_status 1 glovebox run "$WORK/fails/build.yaml" --out "$WORK/out4" --evidence "$WORK/old.evidence"
	is "$(cat "$WORK/old.evidence")" old
	is "$(find "$WORK" -maxdepth 1 -name '.glovebox-*')" ""
}
