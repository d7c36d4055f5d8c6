#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every source says its license in its first three lines.
. "$(dirname "$0")/lint.bash"

unmarked()
{
	local file
	files "$1" | grep -E '\.(c|h|sh|bash|bats|t|pl|mk|scd|mjs|js|py)$|(^|/)Makefile$|^profiles/.*\.yaml$|^\.ci/|^tests/[^/.]*$' |
		grep -vE '^tests/(fuzz/seeds|golden)/' | while IFS= read -r file; do
		head -n 3 "$1/$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0' || echo "$file: has no SPDX line"
	done
}

lint "every source has its SPDX line" unmarked .
catches "notices a source without one" base/a.c "int a;" unmarked
finish
