#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Debian package of what is built: `make deb` calls it.
#
#   deb.sh INSTALLED VERSION DIRECTORY
#
# INSTALLED is what `make install` left, and stays as it is; the package comes into DIRECTORY. It needs no root, no network
# and, of Debian's tools, only dpkg-dev. The same programs give the same bytes, whoever makes it and where: every time is that
# of the changelog's first entry, or $SOURCE_DATE_EPOCH.
set -euo pipefail
umask 022
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
installed=$1 version=$2 to=$(realpath "$3")
work=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
doc=$root/usr/share/doc/glovebox
full=$(dpkg-parsechangelog -l "$here/changelog" -S Version)
[ "${full%-*}" = "$version" ] || {
	echo "deb.sh: packaging/changelog begins with $full, and this is $version" >&2
	exit 1
}
: "${SOURCE_DATE_EPOCH:=$(dpkg-parsechangelog -l "$here/changelog" -S Timestamp)}"
export SOURCE_DATE_EPOCH
architecture=$(dpkg --print-architecture)

cp -R --no-preserve=ownership "$installed" "$root"
chmod -R u=rwX,go=rX "$root"
strip --strip-all --remove-section=.comment --remove-section=.note \
	"$root/usr/bin/glovebox" "$root"/usr/libexec/glovebox/{glovebox-engine,escape-probes}
gzip -9n "$root"/usr/share/man/man*/*
install -D -m 644 "$here/copyright" "$doc/copyright"
gzip -9nc <"$here/changelog" >"$doc/changelog.Debian.gz"
gzip -9nc <"$here/../CHANGELOG.md" >"$doc/changelog.gz"
gzip -9nc <"$here/../README.md" >"$doc/README.md.gz"
install -D -m 644 "$here/lintian-overrides" "$root/usr/share/lintian/overrides/glovebox"

# dpkg-shlibdeps wants a source package's control file, and its working directory to be that package.
mkdir -p "$work/source/debian" "$root/DEBIAN"
printf 'Source: glovebox\n\nPackage: glovebox\nArchitecture: any\n' >"$work/source/debian/control"
depends=$(cd "$work/source" && dpkg-shlibdeps -O -e "$root/usr/libexec/glovebox/glovebox-engine")
size=$(find "$root" -path "$root/DEBIAN" -prune -o -type f -printf '%s\n' | awk '{ kib += int(($1 + 1023) / 1024) } END { print kib }')
sed -e "s/@VERSION@/$full/; s/@ARCHITECTURE@/$architecture/; s/@DEPENDS@/${depends#shlibs:Depends=}/; s/@SIZE@/$size/" \
	"$here/control" >"$root/DEBIAN/control"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
# One thread: how xz splits its blocks is not to depend on the processors of the day.
dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$root" "$to/glovebox_${full}_$architecture.deb"
