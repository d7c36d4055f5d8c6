#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A provenance that lies: `reproduce` has to say so, whoever signed it.
load lib

setup_file()
{
	begin_file
	mkdir "$WORK/rootfs2" && cp -a "$WORK/rootfs/." "$WORK/rootfs2" && echo other >"$WORK/rootfs2/etc/other"
	OTHER=other@$("$GLOVEBOX" rootfs import other "$WORK/rootfs2" | tail -n 1)
	export OTHER
	new_spec "$WORK/spec"
	"$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$WORK/out"
}
teardown_file() { end_file; }

forge() { python3 "$BATS_TEST_DIRNAME/forge.py" "$@"; }

@test "reproduce refuses a spec that pins another rootfs than the recorded one" {
	sed "s#$ROOTFS#$OTHER#" "$WORK/spec/build.yaml" >"$WORK/other.yaml"
	forge spec-text "$WORK/out" "$WORK/f1" "$WORK/other.yaml"
	expect_status 4 glovebox reproduce "$WORK/f1" --unverified
}

@test "reproduce refuses a spec with what this version cannot evaluate, as run does" {
	cp "$WORK/spec/build.yaml" "$WORK/gate.yaml"
	printf '  qualityGates:\n    vulnMaxSeverity: low\n' >>"$WORK/gate.yaml"
	forge spec-text "$WORK/out" "$WORK/f2" "$WORK/gate.yaml"
	run -2 glovebox run "$WORK/gate.yaml" --out "$WORK/gateout"
	run ! glovebox reproduce "$WORK/f2" --unverified
}

@test "reproduce refuses another profile under the name of a shipped one" {
	mkdir "$WORK/p"
	{ glovebox profile show debug; echo '# mine'; } >"$WORK/p/mine.yaml"
	cp "$WORK/spec/build.yaml" "$WORK/p"
	glovebox plan "$WORK/p/build.yaml" >/dev/null
	forge profile "$WORK/out" "$WORK/f3" "$WORK/p/mine.yaml"
	expect_status 4 glovebox reproduce "$WORK/f3" --unverified
}

@test "reproduce refuses inputs that no source of the spec is" {
	forge extra-input "$WORK/out" "$WORK/f4"
	expect_status 4 glovebox reproduce "$WORK/f4" --unverified
}

@test "reproduce compares the output's tree too" {
	forge output-tree "$WORK/out" "$WORK/f5"
	expect_status 4 glovebox reproduce "$WORK/f5" --unverified
	expect_output "the build left another tree"
}

@test "reproduce refuses layers and a clock that do not follow from the spec" {
	forge layers "$WORK/out" "$WORK/f8"
	expect_status 4 glovebox reproduce "$WORK/f8" --unverified
	expect_output "the recorded layers are not those"
	forge clock "$WORK/out" "$WORK/f9"
	expect_status 4 glovebox reproduce "$WORK/f9" --unverified
	expect_output "the recorded sourceDateEpoch is not the spec's"
}

@test "reproduce --level content: the same config over another layer is not the same content" {
	forge evil-layer "$WORK/out" "$WORK/f6"
	expect_status 4 glovebox reproduce "$WORK/f6" --unverified --level content
}

@test "reproduce: image.tar is the subject of that name, not the second one" {
	forge subject-order "$WORK/out" "$WORK/f7"
	expect_status 4 glovebox reproduce "$WORK/f7" --unverified
}
