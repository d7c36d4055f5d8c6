#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/escape-matrix.sh BUILD_DIR REPORT.md: the probes of the escape suite under glovebox and under other sandboxes, each probe in a box of
# its own, started by the same careless caller (tests/escape/probe/probe.h). Writes what came of every one; README.md beside this has the method.
# shellcheck disable=SC2154  # $build and $work are set by begin
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.bash
. "$here/lib.bash"
: "${bench_user:?}"
# podman's, for those that bring none.
seccomp_json=/usr/share/containers/seccomp.json

# ---- what goes in -------------------------------------------------------------------------------------

# lay_out DIR: a root filesystem with the probes, and places where all of these tools mount the same things.
lay_out()
{
	rm -rf "$1"
	mkdir -p "$1"/{bin,etc,usr,var,run,root,dev,proc,sys,tmp,in,live,out,build/home}
	cp "$build/escape-probes" "$1/bin/probe"
	cp "$(command -v busybox)" "$1/bin/busybox"
	install -m 4755 "$build/escape-probes" "$1/bin/suid"
	install -m 2755 "$build/escape-probes" "$1/bin/sgid"
	cp "$build/escape-probes" "$1/bin/capable"
	printf 'root:x:0:0::/:/bin/sh\nbuilder:x:1000:1000::/build/home:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\nbuilder:x:1000:\n' >"$1/etc/group"
	own "$1"
	[ "$(id -u)" != 0 ] || chmod 4755 "$1/bin/suid"
	[ "$(id -u)" != 0 ] || chmod 2755 "$1/bin/sgid"
}

prepare()
{
	mkdir -p "$work"/{caller,live,out,victim,state,spec,home}
	lay_out "$work/root"
	cp -a "$work/root/bin" "$work/in"
	cp "$build/escape-probes" "$work/probe"
	tool -I"$here/.." -o "$work/bin/filter" "$here/filter.c" "$build/libprofiles.a"
	"$work/bin/filter" default >"$work/filter"
	own "$work"/{caller,live,out,victim,state,spec,home,in}
	# firejail asks for the user's name and home, in this mount namespace alone.
	if [ "$(id -u)" = 0 ]; then
		{ cat /etc/passwd; echo "bench:x:$bench_user:$bench_user::$work/home:/bin/sh"; } >"$work/passwd"
		mount --bind "$work/passwd" /etc/passwd
		# … and takes /tmp away; what is made in its /dev/shm is made in this one.
		mount -t tmpfs -o mode=755 tmpfs /opt
		mount -t tmpfs -o mode=1777 tmpfs /dev/shm
		cp "$work/probe" /opt/probe
	fi
	mkdir "$work/boxes"
	own "$work/boxes"
	as "$work/bin/glovebox" rootfs import --store "$work/boxes/store" root "$work/root" >/dev/null
}

# needle WORD: what tells of this host, as `probe run` takes it.
needle() { printf 'needle=%s' "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n')"; }

# ---- the boxes: each is BOX ROOT TARGET WORKDIR COMMAND…, "-" for no target and the usual workdir ------------------

box_unshare()
{
	local root=$1
	shift 3
	# shellcheck disable=SC2016  # for the shell inside
	unshare --user --map-root-user --mount --pid --fork --uts --ipc bash -c '
		cd "$0" && mount --bind . . && cd "$0" && mount --rbind /dev dev && mount -t tmpfs shm dev/shm && mount -t proc proc proc &&
		mount --bind "$1" in && mount --bind "$2" live && mount --bind "$3" out && mount -t tmpfs tmp tmp && shift 3 &&
		pivot_root . . && /bin/busybox umount -l . && cd / && exec "$@"' "$root" "$work/in" "$work/live" "$work/out" "$@"
}

# glovebox imports what the others take as it lies.
box_glovebox()
{
	local profile=$1 root=$2 options=() name=root
	shift 2
	[ "$root" = "$work/root" ] || name=hostile
	[ "$1" = - ] || options+=(--rw "$work/live:$1")
	[ "$2" = - ] || options+=(--workdir "$2")
	shift 2
	if [ $name = hostile ]; then
		"$work/bin/glovebox" rootfs import --store "$work/boxes/store" hostile "$root" >/dev/null || return 125
	fi
	rm -rf "$work/boxes/out"
	"$work/bin/glovebox" exec --store "$work/boxes/store" --rootfs $name --profile "$profile" --pids 64 --ro "$work/in:/in" \
		--rw "$work/live:/live" --output "/out=$work/boxes/out" "${options[@]}" -- "$@"
}
box_glovebox_strict() { box_glovebox strict "$@"; }
box_glovebox_default() { box_glovebox default "$@"; }
box_glovebox_debug() { box_glovebox debug "$@"; }

# bwrap_with OPTION… -- ROOT TARGET WORKDIR COMMAND…; $last are options that come after the mounts.
bwrap_with()
{
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	options+=(--ro-bind "$1" / --proc /proc --dev /dev --tmpfs /tmp --ro-bind "$work/in" /in --bind "$work/live" /live --bind "$work/out" /out
		--tmpfs /build/home)
	[ "$2" = - ] || options+=(--bind "$work/live" "$2")
	[ "$3" = - ] || options+=(--chdir "$3")
	shift 3
	bwrap "${options[@]}" "${last[@]}" "$@"
}
last=()
box_bwrap() { bwrap_with --unshare-all --die-with-parent -- "$@"; }
box_bwrap_hard()
{
	last=(--remount-ro /dev --remount-ro /proc)
	bwrap_with --unshare-all --unshare-user --disable-userns --die-with-parent --new-session --clearenv --setenv PATH /bin --cap-drop ALL \
		--uid 1000 --gid 1000 --hostname box --seccomp 9 -- "$@" 9<"$work/filter"
}

# oci RUNTIME HARDENING ROOT TARGET WORKDIR COMMAND…: by the configuration that the runtime itself proposes.
oci()
{
	local runtime=$1 dir id=m$BASHPID
	dir=$(mktemp -d "$work/spec/XXXXXX")
	(cd "$dir" && "$runtime" spec --rootless)
	python3 "$here/escape-matrix.py" config "$2" "$seccomp_json" "$work" "${@:3}" <"$dir/config.json" >"$dir/made"
	mv "$dir/made" "$dir/config.json"
	case $runtime in
	crun) crun --root "$work/state" --cgroup-manager=disabled run -b "$dir" "$id" ;;
	runc) runc --root "$work/state" --rootless true run -b "$dir" "$id" ;;
	esac
}
box_crun() { oci crun typical "$@"; }
box_crun_hard() { oci crun hardened "$@"; }
box_runc() { oci runc typical "$@"; }
box_runc_hard() { oci runc hardened "$@"; }

# nspawn_with OPTION… -- ROOT TARGET WORKDIR COMMAND…: on a copy, for it takes a root that can be written to.
nspawn_with()
{
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	rm -rf "$work/boxes/nspawn"
	cp -a "$1" "$work/boxes/nspawn"
	options+=(--quiet --register=no --keep-unit --directory="$work/boxes/nspawn" --tmpfs=/tmp --tmpfs=/build/home --bind-ro="$work/in:/in"
		--bind="$work/live:/live" --bind="$work/out:/out")
	[ "$2" = - ] || options+=(--bind="$work/live:$2")
	[ "$3" = - ] || options+=(--chdir="$3")
	shift 3
	systemd-nspawn "${options[@]}" "$@"
}
box_nspawn() { nspawn_with -- "$@"; }
box_nspawn_hard()
{
	nspawn_with -U --read-only --private-network --no-new-privileges=yes --drop-capability=all \
		--system-call-filter='~@mount @privileged @raw-io @keyring @debug @reboot @swap @module @clock @obsolete @cpu-emulation io_uring_setup userfaultfd' -- "$@"
}

# firejail shows the host's file system; the root filesystem is no matter to it. A probe that changes what it can change is not for that, and
# what others leave must not be in the host's /tmp.
box_firejail()
{
	shift 3
	firejail --quiet --private-tmp "${@/#\/bin\/probe/\/opt\/probe}" without=write-everywhere
}
box_firejail_hard()
{
	shift 3
	firejail --quiet --private --private-dev --private-tmp --private-cwd --disable-mnt --net=none --ipc-namespace --caps.drop=all --nonewprivs --noroot --nogroups \
		--seccomp --seccomp.block-secondary --protocol=unix --restrict-namespaces --no3d --noinput --nodvd --nosound --notv --nou2f --novideo \
		--private-etc=passwd,group --memory-deny-write-execute --machine-id --hostname=box "${@/#\/bin\/probe/\/opt\/probe}" \
		without=write-everywhere
}

# ---- the runs ------------------------------------------------------------------------------------------

# tell COLUMN PROBE WORD NOTE: a line of the results; what comes from a box is cut, and made printable.
tell()
{
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(tr -c '[:print:]' ' ' <<<"${4:0:200}")" >>"$work/results"
}

# boxed WHO BOX ROOT TARGET WORKDIR COMMAND…: by the careless caller, who adds where his listeners are. Into $said and $ended.
boxed()
{
	local who=$1 run=()
	shift
	[ "$who" = root ] || run=(as)
	ended=0
	said=$(cd / && GB_MATRIX_WORK=$work "${run[@]}" timeout --foreground 60 "$work/probe" caller "$work/caller" -- \
		bash "$here/escape-matrix.sh" --box "$@" </dev/null 2>&1 | tr -d '\r') || ended=$?
}

# last_said: the last thing that was said, whoever said it.
# shellcheck disable=SC2016  # sed's
last_said() { sed -n 's/^# said on the terminal: //; /^reached /d; /^# end/d; /./h; ${x;p}' <<<"$said"; }

# answers COLUMN: of all probes that have answered in this box.
answers()
{
	local line probe
	while IFS= read -r line; do
		probe=${line%%: *}
		line=${line#*: }
		tell "$1" "$probe" "${line%%: *}" "$(sed -n 's/^[^:]*: //p' <<<"$line")"
	done < <(sed -nE 's/^(not )?ok - [0-9]+ ([^ ]+: .*)/\2/p' <<<"$said")
}

# together COLUMN WHO BOX MODE PROMISE: the probes of a promise share a box. What that did not come to answer, for one of them was its
# end, is asked once more, alone.
together()
{
	local probe options=("$(needle "${work##*/}")")
	# A loopback of the box's own is nothing of the host's.
	[ "$4" != peer ] || options+=(loopback)
	boxed "$2" "$3" "$work/root" - - /bin/probe run "$4" "$5" "${options[@]}"
	answers "$1"
	for probe in $("$work/probe" list "$4" | sed -n "s/^$5 //p"); do
		! grep -q "^$1"$'\t'"$probe"$'\t' "$work/results" || continue
		boxed "$2" "$3" "$work/root" - - /bin/probe run "$4" "$probe" "${options[@]}"
		answers "$1"
		grep -q "^$1"$'\t'"$probe"$'\t' "$work/results" || tell "$1" "$probe" nothing "exit $ended: $(last_said)"
	done
}

# start COLUMN WHO BOX MODE PROBE LINK TARGET WORKDIR: with the root filesystem that this probe wants.
start()
{
	local line
	lay_out "$work/hostile"
	rm -rf "$work/victim" "${work:?}/hostile/$6"
	mkdir "$work/victim"
	touch "$work/victim/file"
	"$work/probe" starts "$5" "$work/hostile" "$work/victim"
	own "$work/victim" "$work/hostile"
	boxed "$2" "$3" "$work/hostile" "$7" "$8" /bin/probe run "$4" "$5"
	line=$(grep -m 1 -E "^(not )?ok - 11 $5: " <<<"$said" | sed -E 's/^(not )?ok - [0-9]+ [^ ]+: //') || true
	if [ "$(ls -A "$work/victim")" != file ]; then
		tell "$1" "$5" through "a directory of the host's was changed"
	elif [ -n "$line" ]; then
		tell "$1" "$5" "${line%%: *}" "$(sed -n 's/^[^:]*: //p' <<<"$line")"
	else
		tell "$1" "$5" refused "exit $ended: $(last_said)"
	fi
}

# column NAME WHO BOX MODE VERSION_COMMAND…: all probes. First whether it runs here at all, with nothing odd.
column()
{
	local name=$1 who=$2 box=$3 mode=$4 probe promise link target workdir command version
	shift 4
	version=$("$@" 2>&1 | head -n 1) || version="not installed"
	boxed "$who" "$box" "$work/root" - - /bin/probe run "$mode" dot-dot
	if ! grep -q '^ok - 7 dot-dot: held' <<<"$said"; then
		printf '%s\t%s\t%s\t%s\n' "$name" "$who" "$version" "does not run here: $(last_said)" >>"$work/columns"
		echo "$name: does not run here: $(last_said)"
		return
	fi
	printf '%s\t%s\t%s\t\n' "$name" "$who" "$version" >>"$work/columns"
	for promise in $("$work/probe" list "$mode" | cut -d' ' -f1 | sort -nu); do
		[ "$promise" = 11 ] || together "$name" "$who" "$box" "$mode" "$promise" </dev/null
	done
	case $box in
	# No root filesystem of theirs: the first has the naive box of tests/escape/probes.t.
	*unshare* | *firejail*) ;;
	*) while read -r probe link _ target workdir command; do
		[ "$command" != - ] || start "$name" "$who" "$box" "$mode" "$probe" "$link" "$target" "$workdir" </dev/null
	done < <("$work/probe" starts) ;;
	esac
	echo "$name: $(awk -F'\t' -v c="$name" '$1 == c { n++; t += $3 == "through" } END { print n " probes, " t + 0 " through" }' "$work/results")"
}

if [ "${1-}" = --box ]; then
	work=$GB_MATRIX_WORK
	shift
	"box_$1" "${@:2}"
	exit
fi

begin "$1" "$(realpath -m "$2")"
prepare
column 'plain namespaces' user unshare peer unshare --version
for profile in strict default debug; do
	column "glovebox $profile" user glovebox_$profile $profile "$work/bin/glovebox" --version
done
column 'bubblewrap' user bwrap peer bwrap --version
column 'bubblewrap, hardened' user bwrap_hard peer bwrap --version
column 'crun' user crun peer crun --version
column 'crun, hardened' user crun_hard peer crun --version
column 'runc' user runc peer runc --version
column 'runc, hardened' user runc_hard peer runc --version
if [ "$(id -u)" = 0 ]; then
	column 'systemd-nspawn' root nspawn peer systemd-nspawn --version
	column 'systemd-nspawn, hardened' root nspawn_hard peer systemd-nspawn --version
else
	printf 'systemd-nspawn\troot\t-\tnot tried: it takes root\n' >>"$work/columns"
fi
column 'firejail' user firejail peer firejail --version
column 'firejail, hardened' user firejail_hard peer firejail --version
"$work/probe" classes >"$work/classes"
"$work/probe" classes about >"$work/about"
"$work/probe" permits >"$work/permits"
python3 "$here/escape-matrix.py" table "$work" "$here/escape-matrix.sh" "$(about)" >"$work/report"
cp "$work/report" "$2"
