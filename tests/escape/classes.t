#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each probe has its class (probe/classes.c), and each class its probes: of every kind of hole that was found in other sandboxes
# something is tried.
set -euo pipefail
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/../tap.bash"

# What the agreement on the sandbox and its issue ask for by name.
asked=(leaked-descriptors own-program aimed-mounts masked-paths terminal keyrings abstract-sockets alg-and-vsock io-uring userfaultfd setuid-files)
most=120

# offences LIST CLASSES ABOUT: files as `probe list`, `probe classes` and `probe classes about` write them.
offences()
{
	local n class
	n=$(sort -u "$1" | wc -l)
	[ "$n" -ge $most ] || echo "only $n probes"
	comm -23 <(cut -d' ' -f2 "$1" | sort) <(cut -d' ' -f2 "$2" | sort -u) | sed 's/$/ is in no class/'
	comm -13 <(cut -d' ' -f2 "$1" | sort) <(cut -d' ' -f2 "$2" | sort -u) | sed 's/$/ is no probe/'
	cut -d' ' -f2 "$2" | sort | uniq -d | sed 's/$/ is in two classes/'
	cut -f1 "$3" | while read -r class; do
		grep -q "^$class " "$2" || echo "$class has no probe"
	done
	for class in "${asked[@]}"; do
		n=$(grep -c "^$class " "$2" || true)
		[ "$n" -ge 3 ] || echo "$class: only $n"
	done
}

work=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-classes.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$PROBE" list >"$work/list"
"$PROBE" classes >"$work/classes"
"$PROBE" classes about >"$work/about"
result "at least $most probes, each in one class, no class without, and of each that was asked for three" "$(offences "$work"/{list,classes,about})"
for mode in "${PROFILES[@]}"; do
	"$PROBE" list "$mode" | cut -d' ' -f2 | sort >"$work/$mode"
	result "each class is tried in $mode" "$(cut -f1 "$work/about" | while read -r class; do
		[ -n "$(comm -12 "$work/$mode" <(sed -n "s/^$class //p" "$work/classes" | sort))" ] || echo "$class"
	done)"
done

# notices WHAT: what was spoilt in $work/bad is told.
notices()
{
	local said
	said=$(offences "$work"/bad/{list,classes,about})
	result "notices: $1" "$([[ $said == *"$1"* ]] || echo "said: $said")"
}

spoil()
{
	rm -rf "$work/bad"
	mkdir "$work/bad"
	cp "$work"/{list,classes,about} "$work/bad"
}

spoil && head -n 119 "$work/list" >"$work/bad/list"
notices "only 119 probes"
spoil && echo "3 new-one" >>"$work/bad/list"
notices "new-one is in no class"
spoil && echo "terminal gone" >>"$work/bad/classes"
notices "gone is no probe"
spoil && echo "terminal io-uring" >>"$work/bad/classes"
notices "io-uring is in two classes"
spoil && sed -i '/^files /d' "$work/bad/classes"
notices "files has no probe"
spoil && sed -i '/^userfaultfd userfault-/d' "$work/bad/classes"
notices "userfaultfd: only 1"
finish
