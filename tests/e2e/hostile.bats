#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a security review found in `glovebox run`, and must not come back.
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

box() { glovebox exec --rootfs "$ROOTFS" "$@"; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	OUT=$DIR/out
	mkdir -p "$DIR"
}

# sources YAML...: puts a list of sources into the spec, a line each.
sources()
{
	echo '  sources:' >>"$DIR/build.yaml"
	printf '    - %s\n' "$@" >>"$DIR/build.yaml"
}

@test "an object whose bytes changed in the store never gets into an image" {
	new_spec "$DIR" 'echo genuine-content > made'
	glovebox run "$DIR/build.yaml" --quiet
	hex=$(printf 'genuine-content\n' | sha256sum | cut -c1-64)
	object=$GLOVEBOX_STORE/objects/${hex:0:2}/${hex:2}
	chmod 644 "$object"
	printf 'tampered-conten\n' >"$object"
	chmod 444 "$object"
	mv "$OUT" "$WORK/first" # not beside the spec: there it would be a source
	status=0
	glovebox run "$DIR/build.yaml" --quiet || status=$?
	# Mended is as good as refused.
	[ $status -ne 0 ] || cmp "$WORK/first/image.tar" "$OUT/image.tar"
	rm -f "$object"
}

@test "a materialised rootfs that was changed is laid out anew by run" {
	new_spec "$DIR" 'cat /etc/planted 2>/dev/null || echo clean'
	(cd "$GLOVEBOX_STORE"/rootfs/*/root && echo evil >etc/planted)
	expect_status 0 glovebox run "$DIR/build.yaml" --quiet
	is "$(cat "$OUT/logs/build.log")" clean
}

@test "logs are not led out of the out directory by a link put there meanwhile" {
	new_wait
	new_spec "$DIR" "$WAIT; echo from the step"
	mkdir "$DIR/elsewhere"
	glovebox run "$DIR/build.yaml" --quiet &
	wait_until waits
	mv "$OUT/logs" "$OUT/moved"
	ln -s "$DIR/elsewhere" "$OUT/logs"
	end_wait
	wait $!
	is "$(ls -A "$DIR/elsewhere")" ""
}

@test "the right to read inputs lasts for every source, not for the first alone" {
	new_spec "$DIR" 'cat /a/f /b/f'
	mkdir -m 700 "$DIR/a" "$DIR/b"
	echo 1 >"$DIR/a/f"
	echo 2 >"$DIR/b/f"
	sources '{ name: a, path: a, mount: /a }' '{ name: b, path: b, mount: /b }'
	expect_status 0 glovebox run "$DIR/build.yaml"
}

@test "a relative path of a source does not lead out of the spec's directory" {
	mkdir "$DIR/secret" "$DIR/spec"
	for path in ../secret link; do
		new_spec "$DIR/spec" true
		ln -sfn "$DIR/secret" "$DIR/spec/link"
		printf '  sources:\n    - { name: s, path: %s }\n' "$path" >>"$DIR/spec/build.yaml"
		expect_status 2 glovebox run "$DIR/spec/build.yaml"
		expect_output "$path"
	done
}

@test "an output that cannot be collected is the step's failure" {
	new_spec "$DIR" 'mkdir shut; chmod 000 shut'
	status=0
	glovebox run "$DIR/build.yaml" --quiet || status=$?
	[ $status = 0 ] || [ $status = 1 ]
}

@test "a hang-up that the caller ignores is ignored" {
	new_wait
	(
		trap '' HUP
		exec "$GLOVEBOX" exec --rootfs "$ROOTFS" -- sh -c "$WAIT"
	) &
	wait_until waits
	kill -HUP $!
	sleep 0.2
	waits
	end_wait
	wait $!
}

@test "the signing key is in no process but one, and not in the runner, while steps run" {
	new_key "$WORK/apart"
	new_wait
	new_spec "$DIR" "$WAIT"
	glovebox run "$DIR/build.yaml" --quiet --key "$WORK/apart.pem" &
	run=$!
	wait_until waits
	# The first line of the PEM's text: the private scalar is in the bytes after it.
	line=$(sed -n 2p "$WORK/apart.pem")
	found=()
	for pid in $run $(processes_with "$DIR/build.yaml"); do
		while read -r range mode _; do
			[[ $mode = r* ]] || continue
			start=$((16#${range%-*})) end=$((16#${range#*-}))
			dd "if=/proc/$pid/mem" bs=4096 skip=$((start / 4096)) count=$(((end - start) / 4096)) 2>/dev/null |
				grep -qaF "$line" && { found+=("$pid"); break; }
		done < <(grep -v '\[v' "/proc/$pid/maps" 2>/dev/null)
	done
	end_wait
	wait $run
	[ ${#found[@]} -le 1 ]
	[ "${found[0]:-}" != $run ]
}

@test "two runs do not write to one out directory" {
	new_wait
	new_spec "$DIR" "$WAIT"
	glovebox run "$DIR/build.yaml" --quiet --no-cache &
	wait_until waits
	expect_status 2 glovebox run "$DIR/build.yaml"
	expect_output "another run"
	end_wait
	wait $!
}

@test "an out directory that a repository has made a link is not followed" {
	new_spec "$DIR" true
	mkdir "$DIR/elsewhere"
	ln -s elsewhere "$OUT"
	expect_status 2 glovebox run "$DIR/build.yaml"
	is "$(ls -A "$DIR/elsewhere")" ""
	expect_status 0 glovebox run "$DIR/build.yaml" --out "$OUT"
}

@test "what a repository has planted in out/ does not lie beside the new image" {
	new_spec "$DIR" true
	mkdir -p "$OUT/junit"
	echo '{"schema":"https://glovebox.dev/schemas/result/v1"}' >"$OUT/result.json"
	echo planted | tee "$OUT/sbom.cdx.json" "$OUT/report.html" >"$OUT/junit/all.xml"
	expect_status 0 glovebox run "$DIR/build.yaml"
	run ! grep -rq planted "$OUT"
}

@test "verify of a directory refuses an image.digest that names another image, and options given twice" {
	new_key "$WORK/digest"
	new_spec "$DIR" true
	glovebox run "$DIR/build.yaml" --quiet --key "$WORK/digest.pem"
	expect_status 0 glovebox verify "$OUT" --key "$WORK/digest.pub.pem" --source file:.
	expect_status 2 glovebox verify "$OUT" --key "$WORK/digest.pub.pem" --builder-id a:b --builder-id a:b
	echo "sha256:$(printf '%064d' 0)" >"$OUT/image.digest"
	expect_status 4 glovebox verify "$OUT" --key "$WORK/digest.pub.pem"
}

@test "a profile that allows everything stands on the floor that no profile can take away" {
	echo 'defaultAction: SCMP_ACT_ALLOW' >"$DIR/all.yaml"
	expect_status 0 glovebox exec --rootfs "$ROOTFS" --profile "$DIR/all.yaml" --receipt "$DIR/r.json" -- \
		sh -c 'touch /tmp/x; chmod 4755 /tmp/x; stat -c %a /tmp/x; unshare -U true; true'
	expect_output 644
	[[ $output != *"can't execute"* ]]
	jq -e '.sandbox | .. | .floor? // empty' "$DIR/r.json"
}

@test "a command that fails of a refused call is told which, and the line of the profile" {
	expect_status 1 box --profile strict --receipt "$DIR/r.json" -- sh -c 'unshare -n true || wget http://127.0.0.1/ || exit 1'
	expect_output "profile 'strict' refused unshare(0x40000000): see its line"
	expect_output "profile 'strict' refused socket(AF_INET, "
	is "$(jq -r '.refused[0].call' "$DIR/r.json")" 'unshare(0x40000000)'
	# The line is the one that shows it.
	sed -n "$(jq -r '.refused[0].line' "$DIR/r.json")p" <(glovebox profile show strict) | grep -qw unshare
	# A command that gets by without it is told nothing; the receipt keeps it.
	expect_status 0 box --receipt "$DIR/r.json" -- sh -c 'unshare -n true 2>/dev/null || true'
	[[ $output != *refused* ]]
	is "$(jq -r '.refused | length' "$DIR/r.json")" 1
}

@test "a profile of one's own is named with its line, the floor below it with the floor's" {
	printf 'defaultAction: SCMP_ACT_ALLOW\nsyscalls:\n- action: SCMP_ACT_ERRNO\n  errnoRet: 13\n  names: [sethostname]\n' >"$DIR/own.yaml"
	expect_status 1 box --profile "$DIR/own.yaml" --receipt "$DIR/r.json" -- sh -c 'hostname x || unshare -n true'
	expect_output "Permission denied"
	is "$(jq -c '[.refused[] | [.call, .profile]]' "$DIR/r.json")" \
		"[[\"sethostname(…)\",\"$DIR/own.yaml\"],[\"unshare(0x40000000)\",\"floor\"]]"
	is "$(jq -r '.refused[0].line' "$DIR/r.json")" 5
}

@test "a step that fails of a refused call is told which, also in result.json" {
	new_spec "$DIR" 'unshare -n true'
	expect_status 1 glovebox run "$DIR/build.yaml" --out "$OUT"
	expect_output "profile 'default' refused unshare(0x40000000): see its line"
	is "$(jq -r '.steps[0].refused[0].call' "$OUT/result.json")" 'unshare(0x40000000)'
}
