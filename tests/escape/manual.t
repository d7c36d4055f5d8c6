#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The manual tells of the escape suite what it is: what profiles permit, and where each promise is tested.
set -euo pipefail
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/../tap.bash"
cd "$(dirname "$0")/../.."

# rows: "PROMISE FILE..." of the table in glovebox-security(7).
rows()
{
	sed -n '/^# HOW THE PROMISES ARE TESTED/,/^# WALLS/p' man/glovebox-security.7.scd | awk '
		/^\|  [0-9]/ { n = $2 }
		/^:  / { sub(/^:  /, ""); print n, $0 }'
}

# tests_of PROMISE FILE: how many the file has.
tests_of()
{
	case $2 in
	*.bats) grep -cE "^@test \"(\[[0-9]+\] )*\[$1\]" "tests/escape/$2" ;;
	*) grep -cE "(\{|\() ?$1, \"" "tests/escape/$2" ;;
	esac
}

permitted=$(sed -n '/^# WHAT PROFILES PERMIT/,/^# THE FLOOR/p' man/glovebox-profile.5.scd | grep '^- ' || true)
result "what profiles permit on purpose is in glovebox-profile(5), with its reason" \
	"$(diff <(printf '%s\n' "$permitted") <("$PROBE" permits 2>&1) || true)"
result "glovebox-security(7) tells of each class of attack" \
	"$(diff <(sed -n '/^# KINDS OF ATTACK/,/^# WALLS/p' man/glovebox-security.7.scd | grep '^- ') \
		<("$PROBE" classes about | awk -F'\t' '{ print "- _" $1 "_: " $3 }') || true)"
result "glovebox-security(7) tells of each promise where it is tested" "$(diff <(rows | cut -d' ' -f1) <(seq 14) || true)"
while read -r promise files; do
	count=0
	for file in $files; do
		n=$(tests_of "$promise" "$file" || true)
		[ "${n:-0}" -gt 0 ] || result "promise $promise is tested in $file" "no test of it is there"
		count=$((count + ${n:-0}))
	done
	result "promise $promise is tested at least five times" "$([ $count -ge 5 ] || echo "only $count")"
done < <(rows)
result "the table has at least 320 probes" "$([ "$("$PROBE" list | wc -l)" -ge 320 ] || echo fewer)"
result "no two probes have one name" "$("$PROBE" list | cut -d' ' -f2 | sort | uniq -d)"
finish
