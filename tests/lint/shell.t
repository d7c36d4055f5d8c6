#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scripts: nothing for shellcheck to find, and they can be run.
. "$(dirname "$0")/lint.bash"

# Files that a shell reads.
scripts()
{
	local file
	files "$1" | grep -vE '^tests/fuzz/seeds/|\.(c|h|md|scd|json|yaml)$' | while IFS= read -r file; do
		case $file in
		*.bats | *.bash) printf '%s\n' "$file" ;;
		*) head -n 1 "$1/$file" | grep -qaE '^#! ?/bin/(ba)?sh|^#! ?/usr/bin/env (ba)?sh' && printf '%s\n' "$file" ;;
		esac
	done || true
}

# Sourced files are looked at on their own: a lint for each file, not for what it includes.
findings()
{
	(cd "$1" && scripts . | tr '\n' '\0' | xargs -0r shellcheck -f gcc -e SC1090,SC1091,SC2317,SC2030,SC2031) || true
}

not_executable()
{
	local file
	scripts "$1" | grep -vE '\.(bats|bash)$' | while IFS= read -r file; do
		[ -x "$1/$file" ] || echo "$file: begins with #! and has no run bit"
	done
}

lint "shellcheck finds nothing" findings .
lint "scripts can be run" not_executable .
# shellcheck disable=SC2016  # the sample's own $
catches "notices an unquoted variable" a.sh '#!/bin/sh
rm $1' findings
catches "notices a missing run bit" a.sh '#!/bin/sh' not_executable
finish
