#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every source says its license in its first three lines.
. "$(dirname "$0")/lint.bash"

unmarked()
{
	local tree=$1
	files "$tree" | grep -E '\.(c|h|sh|bash|bats|t|pl|mk|scd|mjs|js|py)$|(^|/)Makefile$|^profiles/.*\.yaml$|^\.ci/|^tests/[^/.]*$' |
		grep -vE '^tests/(fuzz/seeds|golden)/' | (cd "$tree" && perl -ne '
			chomp(my $file = $_);
			open(my $in, "<", $file) or die "$file: $!\n";
			print "$file: has no SPDX line\n" if !grep { defined && /SPDX-License-Identifier: Apache-2\.0/ } map { scalar <$in> } 1 .. 3')
}

lint "every source has its SPDX line" unmarked .
catches "notices a source without one" base/a.c "int a;" unmarked
finish
