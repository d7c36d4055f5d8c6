#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/compile.sh BUILD_DIR: compiling inside `glovebox exec` against outside of it, with the same compiler on the same
# files (bench/README.md). ROOTFS_TAR=FILE takes a root filesystem that is there already.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.bash
. "$here/lib.bash"
begin "$@"
: "${work:?}"
runs=${RUNS:-15}

# Debian's lua sources, from the mirror that apt is configured with, by lists of this run's own.
fetch_lua()
{
	local apt=$work/apt file options
	mkdir -p "$apt"/{parts,state/lists/partial,cache/archives/partial}
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$apt/parts/${file##*/}"
	done
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -e "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >"$apt/parts/$(basename "$file" .list).list"
	done
	options=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts" -o "Dir::State=$apt/state"
		-o "Dir::Cache=$apt/cache" -o "APT::Sandbox::User=$(id -un)")
	(cd "$apt" && apt-get -q "${options[@]}" update && apt-get -q "${options[@]}" --download-only source lua5.4) >"$apt/log" 2>&1 || {
		cat "$apt/log" >&2
		return 1
	}
	mkdir -p "$work/src/lua"
	tar -C "$work/src/lua" --strip-components=1 -xf "$apt"/lua5.4_*.orig.tar.*
}

# 300 files of 6 functions, which include what programs include.
generate_project()
{
	local i k
	mkdir -p "$work/src/project"
	for ((i = 0; i < 300; i++)); do
		{
			printf '#include <%s.h>\n' ctype errno math stdio stdlib string time unistd
			for ((k = 0; k < 6; k++)); do
				printf 'int f%d_%d(const char *s, int n)\n{\n\tchar b[%d];\n\tint sum = n;\n' $i $k $((64 + k))
				printf '\tfor (int i = 0; s[i] != 0 && i < n; i++) {\n\t\tb[i %% %d] = (char)toupper(s[i]);\n' $((64 + k))
				printf '\t\tsum = sum * %d + b[i %% %d] / (i + 1);\n\t}\n' $((31 + i)) $((64 + k))
				printf '\tif (sum %% %d == 0)\n\t\tprintf("%%d %%s\\n", sum, strerror(errno));\n\treturn sum;\n}\n' $((i + 2))
			done
		} >"$work/src/project/f$i.c"
	done
	echo 'int main(void) { return 0; }' >"$work/src/project/main.c"
	# shellcheck disable=SC2016  # make's own
	printf '%s\n' 'OBJS := $(patsubst %.c,%.o,$(wildcard *.c))' 'CC := gcc' 'CFLAGS := -O2' 'project: $(OBJS)' '	$(CC) -o $@ $(OBJS) -lm' \
		'clean:' '	rm -f *.o project' >"$work/src/project/Makefile"
}

# compare TITLE DIR [MAKE_ARGUMENT…]: whole compilations in pairs, whose compilers take turns.
compare()
{
	local command="cd /src/$2; make -s clean; make -s CC='/src/turn/turn gcc' ${*:3}"
	printf '\n%s, %d interleaved pairs\n' "$1" "$runs"
	as taskset --cpu-list "$cpu" "$work/bin/pairs" "$runs" outside= "$work/same/turn" unshare --user --map-root-user --mount "$work/bin/outside" "$root" "$work/same" "$command" ::: \
		inside= "$work/src/turn" "$work/bin/glovebox" exec --store "$work/store" --rootfs compiler --rw "$work/src:/src" -- /bin/sh -e -c "$command"
}

tool -o "$work/bin/pairs" "$here/pairs.c"
# Processors differ in what else happens on them: both sides have the same one.
cpu=$(taskset --cpu-list --pid $$ | sed 's/.*: *//; s/[,-].*//')
# The same view but for what is measured: the root filesystem, /dev, /proc, a tmpfs on /tmp, a copy of the sources on /src.
cat >"$work/bin/outside" <<'END'
#!/bin/sh -e
mount --rbind /dev "$1/dev"
mount --rbind /proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount --bind "$2" "$1/src"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp TMPDIR=/tmp LANG=C.UTF-8 chroot "$1" /bin/sh -e -c "$3"
END
chmod 755 "$work/bin/outside"

tar=${ROOTFS_TAR:-$work/compiler.tar}
[ -e "$tar" ] || mmdebstrap --quiet --variant=extract --include=gcc,make,libc6-dev,dash,coreutils,findutils bookworm "$tar"
hand_over_work
as tar --extract --file "$tar" --directory "$work/rootfs" --no-same-owner --exclude='./dev/*'
as mkdir "$work/rootfs/src"
as "$work/bin/glovebox" rootfs import --store "$work/store" compiler "$work/rootfs" >/dev/null
root=$(echo "$work"/store/rootfs/*/root)

generate_project
fetch_lua
mkdir "$work/src/turn"
tool -static -o "$work/src/turn/turn" "$here/turn.c"
mkfifo -m 666 "$work/src/turn/"{ask,go}
cp -a "$work/src" "$work/same"
own "$work/src" "$work/same"
about
compare lua lua/src posix
compare 'a project of 300 files' project
