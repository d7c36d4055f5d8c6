# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the examples' drivers share. $work is the driver's: its work directory.
# shellcheck disable=SC2154

# begin NAME STAGES: who speaks, and how many stages there are to be.
begin()
{
	me=$1
	stages=$2
	number=0
}

die()
{
	printf '%s: %s\n' "$me" "$*" >&2
	exit 1
}

# Runs the rest of its arguments as a stage with a number, a title and the time it took.
stage()
{
	local title=$1 began status
	shift
	number=$((number + 1))
	printf '==> [%d/%d] %s\n' "$number" "$stages" "$title"
	began=$(date +%s%N)
	# In a shell of its own and with its status asked for afterwards: `"$@" ||` would turn -e off inside.
	set +e
	(
		set -e
		"$@"
	)
	status=$?
	set -e
	[ $status = 0 ] || die "stage $number failed: $title (what there is so far: $work)"
	printf '    %d ms\n' $((($(date +%s%N) - began) / 1000000))
}

# Whether other users can get at a directory: as root, glovebox works as an unprivileged user.
in_reach()
{
	local dir=$1
	while [ "$dir" != / ]; do
		dir=$(dirname "$dir")
		[ ! -d "$dir" ] || [ -n "$(find "$dir" -maxdepth 0 -perm -o+x)" ] || return 1
	done
}

# An empty work directory; one that isn't a demo's, or somebody else's, is not touched.
prepare()
{
	if [ -L "$work" ] || { [ -e "$work" ] && [ ! -O "$work" ]; }; then
		die "$work: is not your own directory; name another"
	fi
	if [ -e "$work" ] && [ ! -e "$work/.glovebox-demo" ] && [ -n "$(ls -A "$work")" ]; then
		die "$work: is not empty and no earlier demo made it; name another directory"
	fi
	if [ -e "$work" ]; then
		chmod -R u+rwX "$work"
		rm -rf "$work"
	fi
	mkdir -p "$(dirname "$work")"
	mkdir "$work"
	touch "$work/.glovebox-demo"
}

# choose_work NAME [DIR]: prints DIR, or NAME-UID in ${TMPDIR:-/tmp} where none is given or root's is out of others' reach.
choose_work()
{
	local default work
	default=$(realpath -m "${TMPDIR:-/tmp}")/$1-$(id -u)
	work=$(realpath -ms "${2:-$default}")
	if [ "$(id -u)" = 0 ] && ! in_reach "$work"; then
		work=$default
		printf '%s: working in %s: glovebox, started by root, works as an ordinary user and needs a directory in reach of one\n' "$me" "$work" >&2
	fi
	printf '%s\n' "$work"
}

# pin_rootfs FILE NAME DIGEST: the line `ref: NAME` of a spec gets the digest: packages move on, a build's inputs must not.
pin_rootfs()
{
	[[ $3 =~ ^sha256:[0-9a-f]{64}$ ]] || die "rootfs import did not end with a digest: $3"
	sed -i "s/^\( *ref: $2\)\$/\1@$3/" "$1"
	grep -q "@$3" "$1" || die "$1 has no line 'ref: $2' to pin"
}
