#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The manual: every page is well-formed; each command has one, and it tells of just the options
# that the command has.
. "$(dirname "$0")/lint.bash"
: "${built:?}"

glovebox=$built/glovebox

# Options under OPTIONS of a page in scdoc.
page_options()
{
	awk '/^# / { on = $0 == "# OPTIONS" } { sub(/^\*-[a-z]\*, /, "") }
		on && match($0, /^\*--[a-z-]+\*/) { print substr($0, 2, RLENGTH - 2) }' "$1" | sort
}

# Options in --help.
help_options()
{
	"$glovebox" "$1" --help | sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z-]*\).*/\2/p' | sort
}

commands()
{
	"$glovebox" --help | sed -n '/^commands:/,$s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# What differs between page and --help.
options_differ()
{
	local page=man/glovebox-$1.1.scd
	[ -e "$page" ] || {
		echo "$page: is missing"
		return
	}
	diff <(page_options "$page") <(help_options "$1") |
		sed -n "s#^< #$page has, and --help has not: #p; s#^> #--help has, and $page has not: #p"
}

# Pages of commands that are not there, and commands that glovebox.1 does not list.
commands_differ()
{
	diff <(commands | sort) <(cd man && printf '%s\n' glovebox-*.1.scd | sed 's/^glovebox-//; s/\.1\.scd$//' | sort) |
		sed -n 's/^< /no page for the command: /p; s/^> /no command for the page: /p'
	diff <(commands | sort) <(sed -n 's/^\*glovebox-\([a-z-]*\)\*(1)$/\1/p' man/glovebox.1.scd | sort) |
		sed -n 's/^< /glovebox.1 does not list: /p; s/^> /glovebox.1 lists what is not there: /p'
}

malformed()
{
	local page
	for page in "$1"/man/*.scd; do
		{ scdoc <"$page" >/dev/null; } 2>&1 | sed "s#^#$page: #"
	done
}

# References to pages of glovebox's own that are not there.
dangling()
{
	grep -ohE '\*?glovebox[a-z-]*\*?\([157]\)' man/*.scd | tr -d '*' | sort -u | sed 's/(\(.\))/.\1/' | while IFS= read -r page; do
		[ -e "man/$page.scd" ] || echo "man/$page.scd: is referred to, and missing"
	done
}

# The field list that is put into glovebox-spec.5 when it is built.
fields()
{
	local rows
	rows=$("$glovebox" check --fields)
	[ "$(grep -c '^; FIELDS$' man/glovebox-spec.5.scd)" = 1 ] || echo "man/glovebox-spec.5.scd: has no line '; FIELDS'"
	grep -qF 'spec\.build\.command*' <<<"$rows" || echo "check --fields: does not list spec.build.command"
	printf 'x(5)\n\n# NAME\n\nx - y\n\n# FIELDS\n\n%s\n' "$rows" | { scdoc >/dev/null; } 2>&1
}

lint "every page is well-formed" malformed .
catches "notices a malformed page" man/x.1.scd 'no preamble' malformed
lint "no page refers to one that is missing" dangling
lint "each command has its page, and each page its command" commands_differ
[ -n "$(commands)" ] && none= || none="$glovebox --help lists no commands"
result "there are commands" "$none"
while IFS= read -r command; do
	lint "$command: the page has the options of --help" options_differ "$command"
done < <(commands)
lint "the field list is scdoc" fields
finish
