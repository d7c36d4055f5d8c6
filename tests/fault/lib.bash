# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the fault tests share: the tests from outside (../e2e/lib.bash), and the supervisor that makes system calls fail.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.bash"

FAULTS=$(realpath "${O:-build}/faults")
export FAULTS

# under CALL=ERRNO|types… -- ARGUMENT…: glovebox on a host where those calls always fail so (supervisor/main.c).
under()
{
	local rules=() end
	while [ "$1" != -- ]; do
		rules+=("$1")
		shift
	done
	"$FAULTS" "$WORK/report" "${rules[@]}" -- "$GLOVEBOX" "${@:2}"
	end=$(grep '^exit ' "$WORK/report")
	return "${end#exit }"
}

clean() { expect_status 0 glovebox cache verify; }
cleared_away() { glovebox cache gc >/dev/null && [ -z "$(ls -A "$GLOVEBOX_STORE/tmp")" ]; }
