#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the archives' symbols tell: only cli/ prints, exits or reads the environment; below it there
# are no mutable globals; no two folders export the same name; the child between clone and exec calls only what is on the list.
. "$(dirname "$0")/lint.bash"
: "${built:?}"

# Prints to the terminal, ends the process, or reads what belongs to the caller alone.
forbidden='printf __printf_chk vprintf __vprintf_chk puts putchar perror stdout stderr stdin
	err errx warn warnx verr verrx vwarn vwarnx error psignal syslog vsyslog openlog
	exit _exit _Exit quick_exit abort atexit __assert_fail
	getenv secure_getenv __secure_getenv setenv putenv unsetenv clearenv environ __environ
	setlocale signal system popen'
# Sections of objects that can be written to. .data.rel.ro is constant once the program is loaded.
writable='^\.(data|bss|tdata|tbss|lbss|ldata)($|\.)|^\*COM\*$'

# The archives of all folders but cli/.
archives()
{
	local archive
	for archive in "$1"/lib*.a; do
		[ "${archive##*/}" = libcli.a ] || printf '%s\n' "$archive"
	done
}

# A forked process has to end itself; only base/apart.c forks and comes back.
offending_calls()
{
	local archive
	while IFS= read -r archive; do
		nm -A -u "$archive" | awk -v words="$forbidden" '
			BEGIN { n = split(words, w); for (i = 1; i <= n; i++) bad[w[i]] = 1 }
			{ name = $NF; sub(/@.*/, "", name); if (name in bad && !($1 ~ /:apart\.o:$/ && name == "_exit")) print $1 " " name }'
	done < <(archives "$1")
}

offending_globals()
{
	local archive
	while IFS= read -r archive; do
		nm -A -f sysv --defined-only "$archive" | grep '|' | awk -F'|' -v writable="$writable" '
			{ section = $NF; type = $4; gsub(/[ \t]/, "", section); gsub(/[ \t]/, "", type) }
			section ~ writable && section !~ /^\.data\.rel\.ro/ && (type == "OBJECT" || type == "TLS") { gsub(/[ \t]+/, " ", $1); print $1 " in " section }'
	done < <(archives "$1")
}

# The objects of sandbox/ that run in the child: child.o, and whatever it reaches from there.
child_objects()
{
	(cd "$1/sandbox" && nm -A ./*.o) | awk '
		{ split($1, at, ":"); object = substr(at[1], 3); type = $(NF - 1); name = $NF }
		type == "U" { wants[object] = wants[object] " " name; next }
		type ~ /[TDRBVW]/ { owner[name] = object }
		END {
			queue[n = 1] = "child.o"
			seen["child.o"]
			for (i = 1; i <= n; i++) {
				print queue[i]
				k = split(wants[queue[i]], name_of, " ")
				for (j = 1; j <= k; j++) {
					next_one = owner[name_of[j]]
					if (next_one != "" && !(next_one in seen)) {
						seen[next_one]
						queue[++n] = next_one
					}
				}
			}
		}'
}

offending_child_calls()
{
	local object objects
	[ -e "$1/sandbox/child.o" ] || echo "$1/sandbox/child.o is not there; if the child lives elsewhere now, correct this lint"
	mapfile -t objects < <(child_objects "$1")
	for object in "${objects[@]}"; do
		nm -A -u "$1/sandbox/$object"
	done | awk -v own="$(cd "$1/sandbox" && nm --defined-only "${objects[@]}" | awk 'NF == 3 { print $3 }')" '
		BEGIN {
			n = split(own, w, "\n")
			for (i = 1; i <= n; i++) ok[w[i]]
			while ((getline line < "tests/lint/child-symbols.txt") > 0) ok[line]
		}
		{ name = $NF; sub(/@.*/, "", name) }
		!(name in ok) { print $1 " " name ": is not in tests/lint/child-symbols.txt" }'
}

# sample NAME CODE: an archive of its own, compiled the way the project is.
sample()
{
	mkdir -p "$work/$1/sandbox"
	printf '%s\n' "$2" | ${CC:-cc} -O2 -fPIE -w -x c -c -o "$work/$1/sandbox/child.o" -
	ar rcs "$work/$1/libsample.a" "$work/$1/sandbox/child.o"
}

# notices TITLE NAME COMMAND: passes when the command finds something in that sample.
notices()
{
	local found
	found=$("$3" "$work/$2")
	[ -n "$found" ] && found= || found="not noticed in sample $2"
	result "$1" "$found"
}

# A name that two folders export: whichever archive the linker looks into first shadows the other's, without a word, and each
# folder's own tests still link their own.
duplicates()
{
	local archive
	for archive in "$1"/lib*.a; do
		nm -A -f posix --defined-only --extern-only "$archive"
	done 2>/dev/null | awk '
		# ARCHIVE[OBJECT]: NAME TYPE …; weak ones and commons would be as bad.
		NF >= 3 && $2 != "" { at = $1; sub(/:$/, "", at); sub(/^.*\//, "", at); where[$2] = where[$2] " " at; n[$2]++ }
		END { for (name in n) if (n[name] > 1) print name ": is in" where[name] }' | sort
}

have_archives()
{
	[ "$(archives "$1" | wc -l)" -ge 5 ] || echo "$1: there are no archives to look at; run make first"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sample prints '#include <stdio.h>
	void f(void) { printf("x"); }'
sample environ '#include <stdlib.h>
	char *f(void) { return getenv("HOME"); }'
sample global 'static int n; int f(void) { return n++; }'
sample table 'static const char *const t[] = { "a", "b" }; const char *f(int i) { return t[i]; }'
sample malloc '#include <stdlib.h>
	void *f(void) { return malloc(7); }'

sample twice 'int helper(void) { return 1; }'
cp "$work/twice/libsample.a" "$work/twice/libother.a"
sample apart 'static int __attribute__((used)) helper(void) { return 1; }'
cp "$work/apart/libsample.a" "$work/apart/libother.a"

lint "the archives are there" have_archives "$built"
lint "only cli/ prints, exits or reads the environment" offending_calls "$built"
notices "notices printing" prints offending_calls
notices "notices reading the environment" environ offending_calls
lint "no mutable globals below cli/" offending_globals "$built"
notices "notices a static counter" global offending_globals
result "takes no offence at a constant table" "$(offending_globals "$work/table")"
lint "no two folders export the same name" duplicates "$built"
notices "notices a name in two archives" twice duplicates
result "takes no offence at static functions of the same name" "$(duplicates "$work/apart")"
lint "the child calls only what is on the list" offending_child_calls "$built"
notices "notices malloc in the child" malloc offending_child_calls
finish
