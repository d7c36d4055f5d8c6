#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Promises 8 and 11: inputs with every odd type, mode and name. Each is refused by its name, or neutralised: it is not there, or it is a plain
# file. By every door: exec's --ro, a source of run's, and a directory that is imported.
# shellcheck disable=SC2016,SC1003  # scripts for the shell in the box, and names that look like some
load lib

setup_file() { begin_escape; }
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	mkdir "$DIR"
}

# put_odd KIND DIR: one entry called "odd-KIND"; fails where only root can make such.
put_odd()
{
	local at=$2/odd-$1
	case $1 in
	fifo) mkfifo "$at" ;;
	socket) python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$at" ;;
	character) [ "$(id -u)" = 0 ] && mknod "$at" c 1 3 ;;
	block) [ "$(id -u)" = 0 ] && mknod "$at" b 7 0 ;;
	whiteout) [ "$(id -u)" = 0 ] && mknod "$at" c 0 0 ;;
	esac
}
types=(fifo socket character block whiteout)
[ "$(id -u)" = 0 ] || types=(fifo socket)

# by_door DOOR DIR COMMAND...: the command in a box with that input: on /in, /src or as the root filesystem itself.
by_door()
{
	local door=$1 dir=$2
	shift 2
	case $door in
	exec) box --ro "$dir:/in" -- "$@" ;;
	run)
		new_spec "$dir" "$(printf '%q ' "$@"); echo listed; mkdir -p made"
		glovebox run "$dir/build.yaml" --out "$DIR/out" && grep -x listed "$DIR/out/logs/build.log" && cat "$DIR/out/logs/build.log"
		;;
	import)
		mkdir -p "$dir/bin" "$dir/etc"
		cp "$(command -v busybox)" "$dir/bin/busybox"
		for name in find sh stat; do ln -sf busybox "$dir/bin/$name"; done
		glovebox rootfs import odd "$dir" && glovebox exec --rootfs odd -- "$@"
		;;
	esac
}

@test "[11] every odd type by every door: refused by its name, or not there" {
	for door in exec run import; do
		for type in "${types[@]}"; do
			mkdir -p "$DIR/$door-$type"
			echo x >"$DIR/$door-$type/plain"
			put_odd "$type" "$DIR/$door-$type"
			run timeout 300 bash -c "$(declare -f by_door box glovebox new_spec); DIR=$DIR; by_door $door $DIR/$door-$type find . -xdev \( -name 'odd-*' -o -name plain \)"
			echo "# $door $type: $status: $output"
			case $door in
			exec) is "$status" 125 ;;
			run) is "$status" 6 ;;
			# A tree of an operating system has sockets that nobody listens to.
			import) is "$status" 0 && [[ $output == *./plain* && $output != *odd-* ]] && continue ;;
			esac
			[[ $output == *"'odd-$type' is neither file, directory nor link"* ]]
		done
	done
}

@test "[11] a hostile name in a refusal is shown, and does not act" {
	mkdir "$DIR/in"
	mkfifo "$DIR/in/"$'a\e]0;owned\a\e[2Jb\nglovebox: all is well'
	expect_status 125 box --ro "$DIR/in:/in" -- true
	[[ $output != *$'\e'* && $output != *$'\a'* && $output == *owned* ]]
	is "$(wc -l <<<"$output")" 1
}

@test "[8] [11] odd modes and owners arrive as plain ones" {
	mkdir "$DIR/in"
	for mode in 4755 2755 6755 1644 4711 0700 0400; do
		echo "$mode" >"$DIR/in/$mode"
		chmod "$mode" "$DIR/in/$mode"
	done
	mkdir -m 3777 "$DIR/in/shared" && echo x >"$DIR/in/shared/file"
	echo one >"$DIR/in/one" && ln "$DIR/in/one" "$DIR/in/two"
	[ "$(id -u)" != 0 ] || chown 12345:54321 "$DIR/in/0700"
	touch -d 2037-01-01 "$DIR/in/1644"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.overlay.opaque", b"y")' "$DIR/in/shared" 2>/dev/null || true
	run box --ro "$DIR/in:/in" -- sh -c 'cd /in && find . -mindepth 1 | sort | xargs stat -c "%a %h %Y %n"; find . -perm /7000; find . \! -user "$(id -un)"'
	is "$status" 0
	is "$(grep -vcE '^(644|755) [0-9]+ 315532800 \./' <<<"$output")" 0
	is "$(grep -cE '^644 1 .*\./(one|two)$' <<<"$output")" 2
	is "$(wc -l <<<"$output")" 11
	# What root can read and the step cannot is no way in: the step reads all of what arrived.
	expect_status 0 box --ro "$DIR/in:/in" -- sh -c 'find /in -type f | xargs cat >/dev/null'
}

# Names that mean something to a shell, a terminal, a manifest, or a program that splits lines.
odd_names()
{
	printf '%s\0' $'new\nline' $'tab\tand\rreturn' $'\e[31mred\e[0m' $'\xff\xfe' $'\xc3\x28' $'e\xcc\x81' $'\xc3\xa9' -rf --help ' ' ' leading' 'trailing ' '*' '?' \
		'[a-z]' '\' '\012' "'" '"' '$(touch owned)' '`id`' ';' '&' '|' '#mtree' '%s%n' '~' '...' '..a' 'a..' '.hidden' 'CON' 'a:b' 'type=file' \
		"$(printf 'n%.0s' {1..255})" Case case
}

@test "[11] every odd name arrives as it is, by every door" {
	for door in exec run import; do
		mkdir "$DIR/$door"
		while IFS= read -r -d '' name; do
			printf '%s' "$name" >"$DIR/$door/$name"
			mkdir "$DIR/$door/d$name" 2>/dev/null || mkdir "$DIR/$door/d${name:0:250}"
		done < <(odd_names)
		want=$(cd "$DIR/$door" && find . -mindepth 1 -print0 | LC_ALL=C sort -z | sha256sum)
		listing='find . -mindepth 1 -print0 | sort -z | sha256sum'
		case $door in
		exec) run box --ro "$DIR/exec:/in" --workdir /in -- sh -c "$listing" ;;
		run)
			new_spec "$DIR/run" "rm build.yaml input.txt; $listing; mkdir -p made"
			glovebox run "$DIR/run/build.yaml" --out "$DIR/out"
			run cat "$DIR/out/logs/build.log"
			;;
		import)
			mkdir "$DIR/root" && mv "$DIR/import" "$DIR/root/odd" && mkdir "$DIR/root/bin" "$DIR/root/etc"
			cp "$(command -v busybox)" "$DIR/root/bin/busybox"
			glovebox rootfs import odd "$DIR/root"
			run glovebox exec --rootfs odd --workdir /odd -- busybox sh -c 'find . -mindepth 1 -print0 | busybox sort -z | busybox sha256sum'
			;;
		esac
		echo "# $door: $output"
		is "$status" 0
		[[ $output == *"$want"* ]]
	done
}

@test "[11] what lies deeper than a path can name is refused by name" {
	mkdir "$DIR/deep"
	(cd "$DIR/deep" && for _ in {1..60}; do mkdir "$(printf 'd%.0s' {1..100})" && cd d*; done && echo bottom >file)
	expect_status 125 timeout 300 "$GLOVEBOX" exec --rootfs "$ROOTFS" --ro "$DIR/deep:/in" -- true
	expect_output "'ddd"
}
