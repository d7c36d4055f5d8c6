#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files that can be read at once: no more than 800 lines; functions no more than 80.
. "$(dirname "$0")/lint.bash"

file_lines=800
function_lines=80

long_files()
{
	files "$1" | grep -E '\.(c|h|pl|sh|bash|bats|t)$|^tests/[^/.]*$|(^|/)Makefile$|\.mk$' | sed "s#^#$1/#" | tr '\n' '\0' | xargs -0r awk -v most=$file_lines '
		FNR == most + 1 { long[FILENAME] } FILENAME in long { lines[FILENAME] = FNR }
		END { for (file in lines) print file ": " lines[file] " lines, more than " most }'
}

long_functions()
{
	c_files "$1" | sed "s#^#$1/#" |
		ctags -x --languages=C --langmap=C:+.h --c-kinds=f --fields=+e --_xformat='%{end} %n %N %F' -L - |
		awk -v most=$function_lines '$1 - $2 + 1 > most { print $4 ":" $2 ": " $3 " has " $1 - $2 + 1 " lines, more than " most }'
}

repeat()
{
	local i
	for ((i = 0; i < $1; i++)); do echo "$2"; done
}

lint "no file is longer than $file_lines lines" long_files .
lint "no function is longer than $function_lines lines" long_functions .
catches "notices a long file" base/a.c "$(repeat 801 '/* */')" long_files
catches "notices a long function" base/a.c "int f(int a)
{
$(repeat 80 '	a++;')
	return a;
}" long_functions
finish
