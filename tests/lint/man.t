#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The manual: every page is well-formed; each command has one, and it tells of just the verbs
# and options that the command has.
. "$(dirname "$0")/lint.bash"
: "${built:?}"

glovebox=$built/glovebox

# Options of a page's OPTIONS, each behind the verb whose section ("## pack") it is in, where it is in one.
page_verb_options()
{
	awk '/^# / { on = $0 == "# OPTIONS"; verb = "" } on && /^## / { verb = $2 " " } { sub(/^\*-[a-z]\*, /, "") }
		on && match($0, /^\*--[a-z-]+\*/) { print verb substr($0, 2, RLENGTH - 2) }' "$1" | sort
}

# The same of --help, which has a usage line for each verb with options of its own.
help_verb_options()
{
	"$glovebox" "$1" --help | awk '/^usage: / { verb = $0 !~ / \| / && $4 ~ /^[a-z]+$/ ? $4 " " : "" } { sub(/^  -[a-z], /, "  ") }
		match($0, /^  --[a-z-]+/) { print verb substr($0, 3, RLENGTH - 2) }' | sort
}

# Verbs in a page's SYNOPSIS: *glovebox image pack* …
page_verbs()
{
	awk '/^# / { on = $0 == "# SYNOPSIS" } on' "$1" | sed -n 's/^\*glovebox [a-z-]* \([a-z]*\)\*.*/\1/p' | sort -u
}

# Verbs in the first usage line: "usage: glovebox image pack DIR --output FILE | inspect IMAGE".
help_verbs()
{
	"$glovebox" "$1" --help | sed -n "1s/^usage: glovebox $1 //p" | sed 's/ | /\n/g' | sed -n 's/^\([a-z][a-z]*\)\( .*\)\{0,1\}$/\1/p' | sort -u
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
	{
		diff <(page_verb_options "$page") <(help_verb_options "$1")
		diff <(page_verbs "$page") <(help_verbs "$1")
	} | sed -n "s#^< #$page has, and --help has not: #p; s#^> #--help has, and $page has not: #p"
}

# The page of "image", edited by sed so that it tells too much or too little: the lint has to see it.
blind_to()
{
	local glovebox tree
	glovebox=$(realpath "$built/glovebox")
	tree=$(mktemp -d)
	mkdir "$tree/man"
	sed "$1" man/glovebox-image.1.scd >"$tree/man/glovebox-image.1.scd"
	(cd "$tree" && [ -n "$(options_differ image)" ]) || echo "not noticed after: $1"
	rm -rf "$tree"
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

# Tests that a page names as showing something, and that are not there. "probe/x.c" and "x.bats" are of the escape suite's table.
tests_missing()
{
	local name
	grep -ohE 'tests/[a-z0-9_]+(/[a-z0-9_]+)*(\.[a-z]+|/)' "$1"/man/*.scd | sort -u | while IFS= read -r name; do
		[ -e "$1/$name" ] || echo "$1/man: names $name, which is not there"
	done
	sed -n '/^# HOW THE PROMISES ARE TESTED$/,/^# WALLS$/p' "$1/man/glovebox-security.7.scd" | grep -oE '[a-z0-9_/]+\.(bats|c)\b' | sort -u |
		while IFS= read -r name; do
			[ -e "$1/tests/escape/$name" ] || echo "glovebox-security(7) names $name, which is not in tests/escape"
		done
}

# Rows of the table of SLSA's levels without a test, and a table without rows.
slsa_rows()
{
	awk '/^# / { on = $0 == "# SLSA BUILD LEVELS"; next } !on { next }
		/^\|  L[123]: / { row = $0; n++; cells = 0; next } /^:  / { if (++cells == 3 && !/tests\// && $0 != ":  cannot be shown here") print row ": no test" }
		END { if (n < 8) print "the table of SLSA levels has " n + 0 " rows" }' "$1/man/glovebox-security.7.scd"
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
lint "every test that a page names is there" tests_missing .
catches "notices a test that is not there" man/glovebox-security.7.scd 'Shown by _tests/e2e/none.bats_.' tests_missing
catches "notices a probe that is not there" man/glovebox-security.7.scd "$(printf '# HOW THE PROMISES ARE TESTED\n|  1\n:  probe/none.c\n# WALLS')" tests_missing
lint "every level of SLSA has its tests" slsa_rows .
catches "notices a row without a test" man/glovebox-security.7.scd \
	"$(sed 's/^:  _tests.*/:  trust me/' man/glovebox-security.7.scd)" slsa_rows
lint "each command has its page, and each page its command" commands_differ
[ -n "$(commands)" ] && none= || none="$glovebox --help lists no commands"
result "there are commands" "$none"
while IFS= read -r command; do
	lint "$command: the page has the verbs and options of --help" options_differ "$command"
done < <(commands)
lint "notices an option that a page has not" blind_to '/^\*--stop-signal\*/d'
lint "notices an option in another verb's section" blind_to 's/^## inspect$/## pack/'
lint "notices a verb that a page has not" blind_to '/^\*glovebox image inspect\*/d'
lint "notices a verb that the command has not" blind_to 's/^\*glovebox image inspect\*/*glovebox image look*/'
lint "the field list is scdoc" fields
finish
