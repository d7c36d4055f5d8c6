#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The two programs: the small one is what it is said to be, and becomes the engine with all that it was given.
load lib

setup_file() { begin_file; }
teardown_file() { end_file; }

# A copy as it is installed, with an engine that tells what it was given.
setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	HERE=$DIR/bin/glovebox
	mkdir -p "$DIR/bin" "$DIR/libexec/glovebox" "$DIR/elsewhere"
	cp "$GLOVEBOX" "$HERE"
	engine_says installed "$DIR/libexec/glovebox/glovebox-engine"
}

# engine_says WORD FILE
engine_says()
{
	cat >"$2" <<-END
		#!/bin/bash
		echo $1
		printf '<%s>' "\$@"
		echo
		pwd
		echo "\$MARK \$(cat <&7)"
		exit 42
	END
	chmod 755 "$2"
}

@test "the small program is a static PIE, with what hardens it, and nothing heavy in it" {
	readelf -h "$GLOVEBOX" | grep -q 'Type: *DYN'
	run readelf -lW "$GLOVEBOX"
	[[ $output == *GNU_RELRO* && $output != *INTERP* ]]
	[[ $output =~ GNU_STACK.*RW\ +0x ]]
	run readelf -dW "$GLOVEBOX"
	[[ $output == *BIND_NOW* && $output != *NEEDED* && $output != *TEXTREL* ]]
	run nm "$GLOVEBOX"
	[[ $output == *__stack_chk_fail* ]]
	run grep -E ' (getpwnam|getaddrinfo|EVP_DigestInit_ex|yaml_parser_parse|seccomp_init|archive_read_new)$' <<<"$output"
	is "$output" ""
}

@test "exec and --version need no engine" {
	rm "$DIR/libexec/glovebox/glovebox-engine"
	expect_status 7 "$HERE" exec --rootfs "$ROOTFS" -- /bin/sh -c 'exit 7'
	is "$("$HERE" --version)" "$("$GLOVEBOX-engine" --version)"
	is "$("$HERE" exec --help)" "$("$GLOVEBOX-engine" exec --help)"
	expect_status 125 "$HERE" exec --rootfz
}

@test "every other command becomes the engine: arguments, environment, descriptors, directory, exit code" {
	cd "$DIR/elsewhere"
	expect_status 42 env MARK=mark "$HERE" run 'a b' '' $'c\n\xff' 7<<<seven
	is "$output" $'installed\n<run><a b><><c\n\xff>\n'"$DIR/elsewhere"$'\nmark seven'
	for command in --help help nonsense '' --bogus; do
		expect_status 42 "$HERE" $command 7<<<seven
	done
}

@test "a profile of one's own, which the small program cannot compile, becomes the engine" {
	expect_status 42 "$HERE" exec --rootfs "$ROOTFS" --profile="$WORK/own.yaml" -- /bin/true 7<<<seven
	expect_status 0 "$HERE" exec --rootfs "$ROOTFS" --profile strict -- /bin/true
}

@test "the engine beside the program comes first, and nothing else decides where it is" {
	engine_says planted "$DIR/elsewhere/glovebox-engine"
	engine_says planted "$DIR/elsewhere/glovebox"
	ln -s "$HERE" "$DIR/elsewhere/link"
	cd "$DIR/elsewhere"
	# shellcheck disable=SC2016  # for the other shell
	run env PATH="$DIR/elsewhere:$PATH" LD_LIBRARY_PATH=. bash -c 'exec -a ./glovebox "$1" run' - "$HERE" 7<<<seven
	is "${lines[0]}" installed
	run "$DIR/elsewhere/link" run 7<<<seven
	is "${lines[0]}" installed
	engine_says beside "$DIR/bin/glovebox-engine"
	run "$HERE" run 7<<<seven
	is "${lines[0]}" beside
}

@test "a missing engine is told of, with its places" {
	rm "$DIR/libexec/glovebox/glovebox-engine"
	expect_status 125 "$HERE" run build.yaml
	[[ $output == *"run: glovebox-engine, which does this, is neither in '$DIR/bin/' nor in '$DIR/bin/../libexec/glovebox'"* ]]
	printf '\x7fELF' >"$DIR/bin/glovebox-engine"
	expect_status 125 "$HERE" run build.yaml
	[[ $output == *"start '$DIR/bin/glovebox-engine', which does this (is it, or a directory above it, closed to this user?): Permission denied"* ]]
}

@test "an engine of somebody else's is not started" {
	if [ "$(id -u)" = 0 ]; then
		chown 61234 "$DIR/libexec/glovebox/glovebox-engine"
		expect_status 125 "$HERE" run build.yaml
	else
		# Root's files are nobody's in a user namespace where only the caller is mapped.
		ln -sf /bin/true "$DIR/libexec/glovebox/glovebox-engine"
		expect_status 0 "$HERE" run build.yaml
		expect_status 125 unshare --user --map-root-user "$HERE" run build.yaml
	fi
	[[ $output == *"belongs neither to root nor to the owner of this program"* ]]
}

@test "with standard descriptors closed both work" {
	expect_status 3 "$GLOVEBOX" exec --rootfs "$ROOTFS" -- /bin/sh -c 'exit 3' <&- >&- 2>&-
	expect_status 0 "$GLOVEBOX" rootfs list <&- 2>&-
}
