#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests the program given: what it says, and what it does with too many names.
set -eu
hello=$1

expect()
{
	if [ "$2" != "$3" ]; then
		printf 'FAIL: %s: expected "%s", got "%s"\n' "$1" "$2" "$3" >&2
		exit 1
	fi
	printf 'ok: %s\n' "$1"
}

expect "greets the world" "hello, world" "$("$hello")"
expect "greets by name" "hello, box" "$("$hello" box)"
status=0
"$hello" too many 2>/dev/null || status=$?
expect "refuses two names" 2 "$status"
