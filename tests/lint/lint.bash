# SPDX-License-Identifier: Apache-2.0
# What the lints share. A lint is a function that prints one line for each offence in the tree that
# it is given; `lint` runs it on the project, `catches` on a bad sample, so that a lint which has gone
# blind fails too.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Read by the lints that source this.
export built=${O:-build}
cd "$top"
# shellcheck source=tests/tap.bash
. tests/tap.bash

# lint TITLE COMMAND...: passes when the command prints nothing (and does not fail).
lint()
{
	local title=$1 found
	shift
	if ! found=$("$@" 2>&1); then
		found="$found
$* failed"
	fi
	result "$title" "$found"
}

# catches TITLE FILE TEXT COMMAND...: puts TEXT into FILE of an otherwise empty tree, runs the command
# there (its first argument is the tree) and passes when an offence is found.
catches()
{
	local title=$1 file=$2 text=$3 tree found
	shift 3
	tree=$(mktemp -d)
	mkdir -p "$tree/$(dirname "$file")"
	printf '%s\n' "$text" >"$tree/$file"
	found=$("$@" "$tree" 2>&1 || true)
	rm -rf "$tree"
	[ -n "$found" ] && found= || found="not noticed in $file: $text"
	result "$title" "$found"
}

# The project's own files below a tree: what git would track, or all but what is built.
files()
{
	local tree=$1
	if [ -e "$tree/.git" ] && command -v git >/dev/null; then
		# Also when another user owns the checkout, as in CI.
		git -c safe.directory='*' -C "$tree" ls-files --cached --others --exclude-standard |
			while IFS= read -r file; do
				[ ! -f "$tree/$file" ] || printf '%s\n' "$file"
			done
	else
		(cd "$tree" && find . -name 'build*' -prune -o -type f -print | sed 's#^\./##')
	fi
}

# Its files in C.
c_files()
{
	files "$1" | grep -E '\.[ch]$' || true
}
