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
