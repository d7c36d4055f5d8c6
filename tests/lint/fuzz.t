#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every fuzzer has seeds, all seeds have a fuzzer, and check-long runs them all, a minute each.
. "$(dirname "$0")/lint.bash"

# The parsers that were promised one (CONTRIBUTING.md asks for one for each).
parsers=(answers bundle diff git http ignore image json junit lock manifest oci packages policy profile registry rows rpm spec summary tar wire)

seedless()
{
	local fuzzer name
	for fuzzer in "$1"/tests/fuzz/fuzz_*.c; do
		name=${fuzzer##*/fuzz_}
		name=${name%.c}
		[ ! -e "$fuzzer" ] || [ -n "$(find "$1/tests/fuzz/seeds/$name" -type f -size +0 2>/dev/null | head -n 1)" ] || echo "tests/fuzz/seeds/$name: no seeds"
	done
}

orphaned()
{
	local seeds
	for seeds in "$1"/tests/fuzz/seeds/*; do
		[ ! -e "$seeds" ] || [ -e "$1/tests/fuzz/fuzz_${seeds##*/}.c" ] || echo "tests/fuzz/seeds/${seeds##*/}: of no fuzzer"
	done
}

without()
{
	local name
	for name in "${parsers[@]}"; do
		[ -e "$1/tests/fuzz/fuzz_$name.c" ] || echo "no fuzzer of $name"
	done
}

# What make would do: the commands alone, of a dry run.
not_run()
{
	local names plan
	names=$(find "$1/tests/fuzz" -name 'fuzz_*.c' | sed 's#.*/fuzz_##; s#\.c$##')
	plan=$(make -C "$1" -n O="$(mktemp -u)" check-fuzz 2>/dev/null | grep -o 'set -e; for name in [^;]*\|max_total_time=[0-9]*') || true
	for name in $names; do
		grep -qw -- "$name" <<<"$(head -n 1 <<<"$plan")" || echo "check-fuzz does not run $name"
	done
	grep -qx 'max_total_time=60' <<<"$plan" || echo "check-fuzz does not run for 60 s: $plan"
	sed -n '/^check-long:/,/^$/p' "$1/tests/rules.mk" | grep -q check-fuzz || echo "check-long does not run check-fuzz"
}

lint "every fuzzer has seeds" seedless .
lint "all seeds are of a fuzzer" orphaned .
lint "every parser that was promised a fuzzer has one" without .
lint "check-long runs every fuzzer for a minute" not_run .
catches "notices a fuzzer without seeds" tests/fuzz/fuzz_x.c "int x;" seedless
catches "notices seeds without a fuzzer" tests/fuzz/seeds/y/one "y" orphaned
catches "notices a parser without a fuzzer" tests/fuzz/fuzz_tar.c "int x;" without
finish
