#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The table of the README's that compares sandboxes is the one that was measured (make bench-matrix), and of the classes that there are.
. "$(dirname "$0")/lint.bash"

# brief FILE: what stands between its marks.
brief() { sed -n '/^<!-- brief -->$/,/^<!-- end -->$/p' "$1"; }

other_table()
{
	[ "$(brief "$1/bench/escape-matrix.md" | wc -l)" -gt 10 ] || echo "bench/escape-matrix.md: no table"
	diff <(brief "$1/README.md") <(brief "$1/bench/escape-matrix.md") || true
}

other_classes()
{
	diff <(brief "$1/bench/escape-matrix.md" | sed -n 's/^| \([a-z][a-z-]*\) |.*/\1/p') \
		<(sed -n 's/^\t{ "\([a-z-]*\)", .*, false,.*/\1/p' "$1/tests/escape/probe/classes.c") || true
}

lint "README.md shows the escape matrix as it was measured" other_table .
lint "the escape matrix has every class of attack" other_classes .
catches "notices another table" README.md '<!-- brief -->
| mounts | 0 of 1 |
<!-- end -->' other_table
catches "notices a class that was not measured" tests/escape/probe/classes.c '	{ "new", "x", false,' other_classes
finish
