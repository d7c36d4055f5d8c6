#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# glovebox diff: pairs made by real tools, each with one cause planted; images, trees, archives.
load lib

setup_file()
{
	begin_file
	export CORPUS=$WORK/corpus
	mkdir "$CORPUS"
	make_corpus
}
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	mkdir -p "$DIR"
}

# pair NAME CAUSE COMMAND: runs COMMAND in a/ with SIDE=1 and in b/ with SIDE=2; it leaves one thing called "it".
pair()
{
	local side n=0
	for side in a b; do
		mkdir -p "$CORPUS/$1/$side"
		n=$((n + 1))
		(cd "$CORPUS/$1/$side" && SIDE=$n bash -euc "$3") >"$CORPUS/$1/log" 2>&1 || { cat "$CORPUS/$1/log" >&2; return 1; }
	done
	printf '%s' "$2" >"$CORPUS/$1/cause"
}

# shellcheck disable=SC2016  # the commands' variables are theirs
make_corpus()
{
	local flags='-Wl,--build-id=none -O1'
	export ONE='#include <stdio.h>
int main(void) { puts("hello"); return 0; }'
	export TREE='mkdir t; echo one >t/one; echo two >t/two; touch -d @1000000000 t t/*; pack="tar --format=gnu --sort=name --mode=u=rwX,go=rX"'
	pair tar-mtime timestamp "$TREE"'; touch -d "@160000000$SIDE" t/two; $pack --owner=0 --group=0 --numeric-owner -cf it t'
	pair tar-pax timestamp "$TREE"'; touch -d "@1600000000.${SIDE}5" t/two; ${pack/gnu/posix} --owner=0 --group=0 --numeric-owner -cf it t'
	pair gzip-mtime timestamp 'echo hello >it.txt; touch -d "@160000000$SIDE" it.txt; gzip <it.txt >/dev/null; gzip it.txt; mv it.txt.gz it'
	pair c-date timestamp 'echo "const char when[] = __DATE__ \" \" __TIME__;" >x.c; SOURCE_DATE_EPOCH=16000${SIDE}0000 gcc -c x.c -o it'
	pair ar-date timestamp 'echo "int x;" >x.c; gcc -c x.c; touch -d "@160000000$SIDE" x.o; ar rcU it x.o'
	pair pyc-mtime timestamp 'echo "x = 1" >x.py; touch -d "@160000000$SIDE" x.py
		python3 -c "import py_compile; py_compile.compile(\"x.py\", \"it\", invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)"'
	pair zip-mtime timestamp 'echo hello >x; touch -d "@16000000${SIDE}0" x; zip -qX it.zip x; mv it.zip it'
	pair png-time timestamp 'python3 - <<<"
import zlib, struct
def chunk(t, d): return struct.pack(\">I\", len(d)) + t + d + struct.pack(\">I\", zlib.crc32(t + d))
ihdr = struct.pack(\">IIBBBBB\", 8, 8, 8, 0, 0, 0, 0)
time = struct.pack(\">HBBBBB\", 2026, 11, $SIDE, 9, 10, 11)
data = zlib.compress(bytes(range(72)))
open(\"it\", \"wb\").write(b\"\\x89PNG\\r\\n\\x1a\\n\" + chunk(b\"IHDR\", ihdr) + chunk(b\"tIME\", time) + chunk(b\"IDAT\", data) + chunk(b\"IEND\", b\"\"))"'
	pair deb-time timestamp 'mkdir -p p/DEBIAN p/usr/share/x; echo hello >p/usr/share/x/x; chmod -R go=rX p
		printf "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n" >p/DEBIAN/control
		find p -exec touch -d @1900000000 {} +; SOURCE_DATE_EPOCH=160000000$SIDE dpkg-deb --root-owner-group -b p it.deb; mv it.deb it'
	pair debug-path "build path" 'mkdir src; printf "%s\n" "$ONE" >src/x.c; gcc '"$flags"' -g "$PWD/src/x.c" -o it'
	pair pyc-path "build path" 'echo "def f(): return 1" >x.py
		python3 -c "import py_compile; py_compile.compile(\"$PWD/x.py\", \"it\", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)"'
	pair la-path "build path" 'printf "libdir=%s/lib\nprefix=%s/usr\n" "$PWD" "$PWD" >it'
	pair build-id "build id" 'printf "%s\n" "$ONE" >x.c; gcc -Wl,--build-id=uuid x.c -o it'
	pair lto-seed "random seed" 'printf "%s\n" "$ONE" >x.c; gcc -flto -c x.c -o it'
	pair uuid "random seed" 'python3 -c "import json, uuid; json.dump({\"id\": str(uuid.uuid4()), \"name\": \"x\"}, open(\"it\", \"w\"))"'
	pair set-order "hash order" 'PYTHONHASHSEED=$SIDE python3 -c "
for name in {\"alpha\", \"beta\", \"gamma\", \"delta\", \"epsilon\", \"zeta\", \"eta\", \"theta\", \"iota\", \"kappa\"}: print(name)" >it'
	pair set-line "hash order" 'PYTHONHASHSEED=$SIDE python3 -c "print({\"alpha\", \"beta\", \"gamma\", \"delta\", \"epsilon\", \"zeta\"})" >it'
	pair zip-order "hash order" 'for i in a b c d e f g h i j k l; do echo "$i" >"$i"; done; touch -d @1600000000 ?
		PYTHONHASHSEED=$SIDE python3 -c "
import zipfile
with zipfile.ZipFile(\"it\", \"w\") as z:
	for name in set(\"abcdefghijkl\"): z.write(name)"'
	pair jobs "parallel order" 'seq 10 29 | xargs -P "$SIDE" -I{} sh -c "case {} in *[02468]) sleep 0.\$((SIDE - 1))5 ;; esac; echo compiled file{}.c" >it'
	pair tar-owner "uid or owner name" "$TREE"'; $pack --owner="user$SIDE:100$SIDE" --group=staff:50 -czf it.gz t; gzip -dc it.gz | gzip -n >it'
	pair user-name "uid or owner name" 'users=(x alice bob); printf "name: x\npackager: %s\n" "${users[$SIDE]}" >it'
	pair messages locale 'locales=(x C C.UTF-8); printf "int f(int unused) { return g(); }\n" >x.c
		LC_ALL=${locales[$SIDE]} gcc -Wall -Wextra -c x.c -o x.o 2>it'
	pair decimals locale 'marks=(x . ,); printf "ratio 3%s14\nshare 0%s25\n" "${marks[$SIDE]}" "${marks[$SIDE]}" >it'
	pair ident "version string" 'echo "__asm__(\".ident \\\"GCC: (Debian 12.$SIDE.0-14) 12.$SIDE.0\\\"\"); int x;" >x.c; gcc -fno-ident -c x.c -o it'
	pair host "host name" 'hosts=(x alpha beta); printf "#define BUILD_HOST \"%s\"\n" "${hosts[$SIDE]}" >it'
	pair host-at "host name" 'hosts=(x alpha beta); printf "const char by[] = \"builder@%s\";\n" "${hosts[$SIDE]}" >x.c; gcc -c x.c -o it'
	pair march "CPU feature" 'levels=(x x86-64 x86-64-v3); printf "void f(float *a, const float *b, int n) { for (int i = 0; i < n; i++) a[i] += b[i] * 2; }\n" >x.c
		gcc -O3 -march="${levels[$SIDE]}" -c x.c -o it'
	pair gzip-level compressor 'levels=(x 1 9); seq 20000 | gzip -n "-${levels[$SIDE]}" >it'
	pair zip-level compressor 'levels=(x 1 9); seq 20000 >x; touch -d @1600000000 x; zip -qX "-${levels[$SIDE]}" it.zip x; mv it.zip it'
}

causes()
{
	glovebox diff --json "$@" | jq -r '.causes[].cause'
}

@test "of pairs with one planted cause each it is named, and no other" {
	named=0 all=0 wrong=
	for dir in "$CORPUS"/*; do
		all=$((all + 1))
		want=$(cat "$dir/cause")
		! cmp -s "$dir/a/it" "$dir/b/it" || wrong+="${dir##*/}: the pair is no pair"$'\n'
		while IFS= read -r got; do
			if [ "$got" = "$want" ]; then
				named=$((named + 1))
			else
				wrong+="${dir##*/}: $got in place of $want"$'\n'
			fi
		done < <(causes "$dir/a/it" "$dir/b/it")
	done
	echo "named $named of $all"
	printf '%s' "$wrong"
	[ -z "$wrong" ]
	# The issue asks for 18 of 20; nine in ten of what is here.
	[ "$all" -ge 20 ]
	[ $((named * 10)) -ge $((all * 9)) ]
}

@test "where nothing shows the cause, none is named" {
	unnamed=
	# What differs is content that somebody changed: texts, code, a size, a mode, a digest of something.
	make_a() { echo "one line of $1 text" >"$DIR/$1.txt"; echo "int f(int a) { return a + $2; }" >"$DIR/$1.c"
		gcc -O1 -c "$DIR/$1.c" -o "$DIR/$1.o" && strip -g "$DIR/$1.o" && seq "$2" 99 >"$DIR/$1.list"
		seq "$2" 99 | sha256sum >"$DIR/$1.sum"; mkdir "$DIR/$1.dir"; touch "$DIR/$1.dir/x"; chmod "64$2" "$DIR/$1.dir/x"; }
	make_a red 0
	make_a green 4
	for what in txt list sum dir; do
		got=$(causes "$DIR/red.$what" "$DIR/green.$what")
		[ -z "$got" ] || unnamed+="$what: $got"$'\n'
	done
	# The name of its source stands in an object: that is all, and no cause either.
	got=$(causes "$DIR/red.o" "$DIR/green.o")
	[ -z "$got" ] || unnamed+="o: $got"$'\n'
	printf '%s' "$unnamed"
	[ -z "$unnamed" ]
}

@test "0 is the same, 1 different, 2 usage, 6 what is not there" {
	echo x >"$DIR/x"
	cp "$DIR/x" "$DIR/y"
	mkdir "$DIR/a" "$DIR/b"
	expect_status 0 glovebox diff "$DIR/x" "$DIR/y"
	expect_output "same"
	expect_status 0 glovebox diff "$DIR/a" "$DIR/b"
	touch "$DIR/a/empty"
	expect_status 1 glovebox diff "$DIR/a" "$DIR/b"
	expect_output "empty: only in A"
	expect_status 2 glovebox diff "$DIR/a" "$DIR/x"
	expect_status 2 glovebox diff "$DIR/a"
	expect_status 2 glovebox diff /dev/null "$DIR/x"
	expect_status 6 glovebox diff "$DIR/nothing" "$DIR/x"
	: >"$DIR/empty"
	expect_status 1 glovebox diff "$DIR/empty" "$DIR/x"
}

@test "directories: types, modes, links, moved files; times are no part of them" {
	mkdir -p "$DIR/a/d" "$DIR/b/d"
	for side in a b; do echo content >"$DIR/$side/same"; done
	touch -d 2001-01-01 "$DIR/a/same"
	expect_status 0 glovebox diff "$DIR/a" "$DIR/b"
	echo moved content >"$DIR/a/d/old"
	echo moved content >"$DIR/b/d/new"
	ln -s x "$DIR/a/link"
	ln -s y "$DIR/b/link"
	echo x >"$DIR/a/run"
	echo x >"$DIR/b/run"
	chmod 755 "$DIR/b/run"
	mkfifo "$DIR/a/odd"
	mkdir "$DIR/b/odd"
	expect_status 1 glovebox diff "$DIR/a" "$DIR/b"
	expect_output "d/old: in B it is d/new"
	expect_output "link: 'x' in A, 'y' in B"
	expect_output "mode: '0644' in A, '0755' in B"
	expect_output "type: 'other' in A, 'directory' in B"
	is "$(glovebox diff --json "$DIR/a" "$DIR/b" | jq -r '.differences | length')" 4
}

@test "no link leads out of a directory, and a name cannot drive a terminal" {
	mkdir -p "$DIR/a" "$DIR/b"
	ln -s /etc "$DIR/a/etc"
	ln -s /proc "$DIR/b/etc"
	echo x >"$DIR/a/$(printf 'evil\033[31m')"
	expect_status 1 glovebox diff "$DIR/a" "$DIR/b"
	[[ $output != *passwd* && $output != *$'\033'* ]]
	expect_output 'evil\033[31m: only in A'
}

# images: two images in each codec that differ in one line of one file.
images()
{
	for side in a b; do
		mkdir -p "$DIR/$side.tree/etc" "$DIR/$side.tree/usr"
		seq 5000 >"$DIR/$side.tree/usr/numbers"
		echo "built 2026-11-2${#side} 09:10:11 $side" >"$DIR/$side.tree/etc/when"
	done
	echo "built 2026-11-25 09:10:11" >"$DIR/a.tree/etc/when"
	echo "built 2026-11-26 10:10:11" >"$DIR/b.tree/etc/when"
	for side in a b; do
		glovebox image pack "$DIR/$side.tree" -o "$DIR/$side.$1.tar" --compression "$1" --label "side=$side"
	done
}

@test "images: config, layers, members; whatever the codec and the shape" {
	for codec in none gzip zstd; do
		images "$codec"
		expect_status 0 glovebox diff "$DIR/a.$codec.tar" "$DIR/a.$codec.tar"
		expect_status 1 glovebox diff "$DIR/a.$codec.tar" "$DIR/b.$codec.tar"
		expect_output "config.Labels.side: 'a' in A, 'b' in B"
		expect_output "etc/when"
		expect_output "likely cause: timestamp"
		[[ $output != *numbers* ]]
	done
	mkdir "$DIR/layout.a" "$DIR/layout.b"
	tar -C "$DIR/layout.a" -xf "$DIR/a.gzip.tar"
	tar -C "$DIR/layout.b" -xf "$DIR/b.gzip.tar"
	expect_status 1 glovebox diff "$DIR/layout.a" "$DIR/b.zstd.tar"
	expect_output "etc/when"
	expect_status 0 glovebox diff "$DIR/layout.a" "$DIR/a.gzip.tar"
	# The same content in another codec, and the docker archive of another tool.
	expect_status 1 glovebox diff "$DIR/a.gzip.tar" "$DIR/a.zstd.tar"
	expect_output "likely cause: compressor"
	skopeo copy -q "oci-archive:$DIR/b.gzip.tar" "docker-archive:$DIR/docker.tar:x:y"
	expect_status 1 glovebox diff "$DIR/a.gzip.tar" "$DIR/docker.tar"
	expect_output "etc/when"
}

@test "out directories: what is in the artifact counts, what tells of one run does not" {
	new_spec "$DIR/spec"
	glovebox run "$DIR/spec/build.yaml" --out "$DIR/one"
	glovebox run "$DIR/spec/build.yaml" --out "$DIR/two" --no-cache
	expect_status 1 cmp "$DIR/one/provenance.json" "$DIR/two/provenance.json"
	expect_status 0 glovebox diff "$DIR/one" "$DIR/two"
	echo other >"$DIR/spec/input.txt"
	glovebox run "$DIR/spec/build.yaml" --out "$DIR/three"
	expect_status 1 glovebox diff "$DIR/one" "$DIR/three/image.tar"
	expect_output "src/made/twice"
}

@test "hostile files are told of, and end nothing" {
	images gzip
	# A bomb, a tar that is cut, an ELF whose sections lie outside of it, an image whose layer is none.
	head -c 300000000 /dev/zero | zstd -q >"$DIR/part"
	for _ in {1..10}; do cat "$DIR/part"; done >"$DIR/bomb"
	echo x | zstd -q >"$DIR/small"
	expect_status 1 glovebox diff "$DIR/bomb" "$DIR/small"
	expect_output "not looked into"
	tar -C "$DIR" -cf "$DIR/whole.tar" a.tree
	head -c 2000 "$DIR/whole.tar" >"$DIR/cut.tar"
	expect_status 1 glovebox diff "$DIR/whole.tar" "$DIR/cut.tar"
	cp "$BATS_TEST_FILENAME" "$DIR/text"
	head -c 64 /proc/self/exe >"$DIR/elf"
	expect_status 1 glovebox diff "$DIR/elf" "$DIR/text"
	expect_output "different formats"
}

@test "a difference in a large image is found without reading it into memory" {
	mkdir -p "$DIR/a/d" "$DIR/b/d"
	for i in 1 2 3 4; do
		head -c 40000000 /dev/urandom >"$DIR/a/d/$i"
		cp "$DIR/a/d/$i" "$DIR/b/d/$i"
	done
	printf 'X' | dd of="$DIR/b/d/3" bs=1 seek=31000000 conv=notrunc status=none
	for side in a b; do
		glovebox image pack "$DIR/$side" -o "$DIR/$side.tar" --compression none
		rm -r "${DIR:?}/$side"
	done
	# 80 MiB of address space would not do even for the program's libraries: what counts is what it touches.
	expect_status 1 python3 - "$GLOVEBOX" "$DIR/a.tar" "$DIR/b.tar" <<'END'
import resource, subprocess, sys
code = subprocess.run([sys.argv[1], "diff", sys.argv[2], sys.argv[3]]).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print("peak", peak, "KiB")
sys.exit(code if peak < 80 * 1024 else 9)
END
	expect_output "d/3"
	expect_output "differs from byte 31000000 on, of 40000000"
}

@test "diffoscope gets the pair, and its exit code is ours" {
	mkdir "$DIR/bin" "$DIR/one"
	printf '#!/bin/sh\necho "scope: $*"\nexit 1\n' >"$DIR/bin/diffoscope"
	chmod 755 "$DIR/bin/diffoscope"
	touch "$DIR/one/image.tar" "$DIR/other"
	PATH=$DIR/bin:$PATH expect_status 1 glovebox diff --diffoscope "$DIR/one" "$DIR/other"
	expect_output "scope: -- $DIR/one/image.tar $DIR/other"
	PATH=$DIR/bin:$PATH expect_status 2 glovebox diff --diffoscope --json "$DIR/one" "$DIR/other"
	PATH=/nowhere expect_status 2 "$GLOVEBOX" diff --diffoscope "$DIR/one" "$DIR/other"
	expect_output "not installed"
}
