# SPDX-License-Identifier: Apache-2.0
# Results in TAP, for tests that are no bats files: `result` for each, `finish` at the end.
# shellcheck shell=bash
tests=0

# result TITLE OFFENCES: no offences is a pass.
result()
{
	tests=$((tests + 1))
	if [ -z "$2" ]; then
		printf 'ok %d - %s\n' $tests "$1"
	else
		printf 'not ok %d - %s\n' $tests "$1"
		printf '%s\n' "$2" | head -n 40 | sed 's/^/# /'
	fi
}

finish()
{
	printf '1..%d\n' $tests
}
