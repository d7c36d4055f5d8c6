#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes a root filesystem that has a C compiler and make, from the packages of the
# Debian release that this host's apt is configured for.
#
#   make-rootfs.sh DIR          as root: by mmdebstrap, maintainer scripts and all
#                               as an ordinary user: packages unpacked, no scripts
#   make-rootfs.sh --unpack DIR as root too, the second way
#   make-rootfs.sh --packages "PACKAGE..." DIR    with these in the place of gcc, libc6-dev and make
#
# DIR must not exist, or be an empty directory. Nothing is asked, nothing outside DIR and the
# cache is written. The cache (--cache DIR, default $XDG_CACHE_HOME/glovebox-demo or
# ~/.cache/glovebox-demo) keeps the packages: a second call needs no network. --refresh looks
# for newer ones. The content is a function of the packages alone: two calls with one cache
# give the same tree.
set -euo pipefail
umask 022
export LC_ALL=C

# What any build expects to find, and what a small C project's does besides.
packages=(base-files base-passwd bash coreutils dash diffutils findutils grep gzip
	hostname libc-bin mawk sed tar usr-is-merged)
wanted=(gcc libc6-dev make)
usual="${wanted[*]}"
# Documentation and translations: a build doesn't read them, and they are a third of the size.
unwanted=(usr/share/doc usr/share/man usr/share/info usr/share/locale usr/share/lintian
	usr/share/doc-base usr/share/bug)

die()
{
	printf 'make-rootfs: %s\n' "$*" >&2
	exit 1
}

usage()
{
	sed -n '/^#   make-rootfs/,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
}

way=unpack
[ "$(id -u)" != 0 ] || way=mmdebstrap
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/glovebox-demo
refresh=
set=
while [ $# -gt 0 ]; do
	case $1 in
	--unpack) way=unpack ;;
	--cache) cache=${2:?--cache needs a directory} && shift ;;
	--refresh) refresh=yes ;;
	--packages)
		read -r -a wanted <<<"${2:?--packages needs names}" && shift
		# Each set of packages has files of its own in the cache.
		set=-$(printf '%s\n' "${wanted[@]}" | sha256sum | cut -c 1-8)
		[ "${wanted[*]}" != "$usual" ] || set=
		;;
	--help) usage && exit 0 ;;
	-*) die "no such option: $1 (see --help)" ;;
	*) break ;;
	esac
	shift
done
packages+=("${wanted[@]}")
[ $# -eq 1 ] || die "one directory to make is expected (see --help)"
target=$1
if [ -e "$target" ] && [ -n "$(ls -A "$target")" ]; then
	die "$target: is not empty; remove it, or name another"
fi
for tool in apt-get dpkg-deb tar sha256sum flock; do
	command -v "$tool" >/dev/null || die "$tool is not installed; this needs a Debian host"
done
[ "$way" = unpack ] || command -v mmdebstrap >/dev/null ||
	die "mmdebstrap is not installed (apt-get install mmdebstrap), or use --unpack"

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
# One at a time: a second call finds what the first has made, and neither takes the other's files away.
exec {lock}>"$cache/lock"
flock "$lock"
debs=$cache/debs$set
# The packages of one way, with their digests: the closures of the two ways differ.
list=$cache/$way$set.sha256

# ---- fetching: apt with a state of its own ---------------------------------

# apt that believes nothing is installed, and touches nothing of the host's apt; $1: where its package lists are.
own_apt()
{
	local lists=$1
	shift
	apt-get -qq -o Dir::State="$cache/state" -o Dir::State::status="$cache/state/status" \
		-o Dir::State::lists="$lists" -o Dir::Cache="$cache/apt" -o Dir::Cache::archives="$debs" \
		-o Dir::Log="$cache/state" -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
		-o APT::Install-Recommends=0 -o Acquire::Languages=none -o Acquire::Retries=2 \
		-o APT::Update::Post-Invoke::= -o DPkg::Post-Invoke::= "$@"
}

# Puts the closure of the packages into $debs. $1: where the lists are.
download()
{
	local all=("${packages[@]}")
	[ "$way" = unpack ] || all+=('?essential')
	own_apt "$1" --yes --download-only install "${all[@]}" </dev/null
}

fetch()
{
	mkdir -p "$debs/partial" "$cache/state/lists/partial" "$cache/apt"
	: >"$cache/state/status"
	rm -f "$debs"/*.deb
	# The host's lists first: reading them needs no network, and what they name is often in reach.
	if [ -n "$refresh" ] || ! download /var/lib/apt/lists 2>"$cache/log"; then
		if ! { own_apt "$cache/state/lists" update && download "$cache/state/lists"; } 2>>"$cache/log"; then
			die "the packages can't be fetched:
$(sed -n 's/^[EW]: /  /p' "$cache/log" | tail -n 5)
  (sources: apt's own configuration; all of apt's words: $cache/log)"
		fi
	fi
	(cd "$debs" && sha256sum -- *.deb) >"$list.new"
	mv "$list.new" "$list"
}

cached()
{
	[ -z "$refresh" ] && [ -s "$list" ] && (cd "$debs" && sha256sum --quiet --check "$list") >/dev/null 2>&1
}

# ---- the first way: mmdebstrap ------------------------------------------------

# A repository in one directory, so that mmdebstrap sees just these packages and no network.
flat_repository()
{
	local digest deb
	while read -r digest deb; do
		dpkg-deb --field "$debs/$deb"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$debs/$deb")" "$digest"
	done <"$list" >"$debs/Packages"
}

# mmdebstrap takes half a minute: its result is kept too, under the digest of what it was made from.
by_mmdebstrap()
{
	local exclude=() path made
	made=$cache/rootfs$set-$(cat "$list" "$0" | sha256sum | cut -c 1-16).tar
	if [ ! -e "$made" ]; then
		for path in "${unwanted[@]}"; do
			exclude+=("--dpkgopt=path-exclude=/$path/*")
		done
		flat_repository
		# No suite: with one, mmdebstrap would look for essential packages in a suite of that name only.
		SOURCE_DATE_EPOCH=315532800 mmdebstrap --quiet --mode=root --variant=essential --format=tar \
			--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr "${exclude[@]}" \
			--include="$(IFS=,; printf %s "${packages[*]}")" \
			'' "$made.new" "deb [trusted=yes] copy:$debs ./" >"$cache/log" 2>&1 ||
			die "mmdebstrap failed:
$(tail -n 5 "$cache/log" | cut -c 1-200 | sed 's/^/  /')
  (all of its words: $cache/log; --unpack needs no mmdebstrap)"
		rm -f "$cache/rootfs$set"-????????????????.tar
		mv "$made.new" "$made"
	fi
	# What tells of this host and of the hour. Device nodes go the same way: a sandbox has its own.
	exclude=('./var/log/*' './var/cache/*' './var/lib/apt/*' './etc/apt/*' ./etc/hostname
		./etc/resolv.conf './dev/*' './tmp/*' './run/*')
	mkdir -p "$target"
	tar -C "$target" -x -p --numeric-owner "${exclude[@]/#/--exclude=}" -f "$made"
}

# ---- the second way: unpacking ------------------------------------------------

# dpkg-deb -x, but keeping the links of the merged /usr and leaving out what nobody reads.
unpack()
{
	local deb exclude=() path
	for path in "${unwanted[@]}"; do
		exclude+=("--exclude=./$path/*")
	done
	mkdir -p "$target/usr"
	# Before the first package: else /bin and /lib become directories of their own.
	for path in bin sbin lib lib32 lib64 libx32; do
		mkdir -p "$target/usr/$path"
		ln -s "usr/$path" "$target/$path"
	done
	mkdir -p "$target/var/lib/dpkg"
	while read -r _ deb; do
		dpkg-deb --fsys-tarfile "$debs/$deb" |
			tar -C "$target" -x -p --no-same-owner --keep-directory-symlink "${exclude[@]}"
		dpkg-deb --field "$debs/$deb" | sed 's/^Package: .*/&\nStatus: install ok installed/'
		echo
	done <"$list" >"$target/var/lib/dpkg/status"
	rmdir --ignore-fail-on-non-empty "$target/usr/lib32" "$target/usr/libx32"
	for path in lib32 libx32; do
		[ -e "$target/usr/$path" ] || rm "$target/$path"
	done
}

# What the maintainer scripts would have left that a build needs.
fix_up()
{
	link sh dash
	link awk mawk
	link cc gcc
	link c89 c89-gcc
	link c99 c99-gcc
	mkdir -p "$target/etc"
	[ -e "$target/etc/passwd" ] || cp "$target/usr/share/base-passwd/passwd.master" "$target/etc/passwd"
	[ -e "$target/etc/group" ] || cp "$target/usr/share/base-passwd/group.master" "$target/etc/group"
	[ -e "$target/etc/nsswitch.conf" ] || printf 'passwd: files\ngroup: files\nhosts: files\n' >"$target/etc/nsswitch.conf"
}

# A command in /usr/bin by its other name, where no package made it.
link()
{
	if [ ! -e "$target/usr/bin/$1" ] && [ -e "$target/usr/bin/$2" ]; then
		ln -s "$2" "$target/usr/bin/$1"
	fi
}

# ---- in order --------------------------------------------------------------------

cached || fetch
if [ "$way" = mmdebstrap ]; then
	by_mmdebstrap
else
	unpack
	fix_up
fi
tools=(sh)
[ -n "$set" ] || tools+=(make cc ld)
for tool in "${tools[@]}"; do
	[ -e "$target/usr/bin/$tool" ] || die "$target: has no /usr/bin/$tool; the package lists seem to be of another kind"
done
printf 'make-rootfs: %s: %s packages, %s, by %s\n' "$target" "$(wc -l <"$list")" "$(du -sh "$target" | cut -f1)" "$way"
