#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A folder includes only itself and folders to its left; spec/, attest/ and sandbox/ less than that.
. "$(dirname "$0")/lint.bash"

order=" base spec oci attest profiles sandbox store fetch rootfs inspect runner cli "

# The folders that $1 may include.
allowed()
{
	case $1 in
	spec) echo base spec ;;
	attest) echo base oci attest ;;
	sandbox) echo base profiles sandbox ;;
	*) printf '%s\n' "${order%% "$1" *} $1" ;;
	esac
}

offences()
{
	local tree=$1 file folder may
	while IFS= read -r file; do
		folder=${file%%/*}
		[[ $order == *" $folder "* ]] || continue
		may=$(allowed "$folder")
		# Includes in quotes are the project's; they are written from the top, with their folder.
		awk -v may=" $may " -v file="$file" '
			match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/) {
				split($0, part, "\"")
				folder = part[2]
				if (!sub(/\/.*/, "", folder))
					print file ":" FNR ": \"" part[2] "\" does not name its folder"
				else if (folder != "gen" && folder !~ /^\./ && index(may, " " folder " ") == 0)
					print file ":" FNR ": \"" part[2] "\" is not for this folder, which may include:" may
				else if (folder ~ /^\./)
					print file ":" FNR ": \"" part[2] "\" is not written from the top"
			}' "$tree/$file"
	done < <(c_files "$tree")
}

lint "each folder includes only itself and folders to its left" offences .
catches "notices a folder to the right" oci/a.c '#include "store/store.h"' offences
catches "notices spec/ including oci/" spec/a.h '#include "oci/oci.h"' offences
catches "notices attest/ including spec/" attest/a.c '#include "spec/spec.h"' offences
catches "notices sandbox/ including oci/" sandbox/a.c '#  include "oci/oci.h"' offences
catches "notices a path with .." base/a.c '#include "../spec/spec.h"' offences
finish
