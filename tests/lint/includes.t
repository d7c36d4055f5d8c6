#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A folder includes only itself and folders to its left; spec/, attest/ and sandbox/ less than that.
. "$(dirname "$0")/lint.bash"

order="base spec oci attest profiles sandbox store fetch rootfs inspect runner cli"

# Includes in quotes are the project's; they are written from the top, with their folder.
offences()
{
	local tree=$1
	# shellcheck disable=SC2016  # awk's own
	c_files "$tree" | (cd "$tree" && tr '\n' '\0' | xargs -0r awk -v order="$order" '
		BEGIN {
			n = split(order, folders, " ")
			for (i = 1; i <= n; i++) {
				so_far = so_far " " folders[i] " "
				may[folders[i]] = so_far
			}
			may["spec"] = " base  spec "
			may["attest"] = " base  oci  attest "
			may["sandbox"] = " base  profiles  sandbox "
		}
		FNR == 1 { of = FILENAME; sub(/\/.*/, "", of) }
		of in may && match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/) {
			split($0, part, "\"")
			folder = part[2]
			if (!sub(/\/.*/, "", folder))
				print FILENAME ":" FNR ": \"" part[2] "\" does not name its folder"
			else if (folder ~ /^\./)
				print FILENAME ":" FNR ": \"" part[2] "\" is not written from the top"
			else if (folder != "gen" && index(may[of], " " folder " ") == 0)
				print FILENAME ":" FNR ": \"" part[2] "\" is not for this folder, which may include:" may[of]
		}')
}

lint "each folder includes only itself and folders to its left" offences .
catches "notices a folder to the right" oci/a.c '#include "store/store.h"' offences
catches "notices spec/ including oci/" spec/a.h '#include "oci/oci.h"' offences
catches "notices attest/ including spec/" attest/a.c '#include "spec/spec.h"' offences
catches "notices sandbox/ including oci/" sandbox/a.c '#  include "oci/oci.h"' offences
catches "notices a path with .." base/a.c '#include "../spec/spec.h"' offences
finish
