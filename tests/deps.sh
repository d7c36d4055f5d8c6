#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing, and does nothing where none is.
#
#   deps.sh [build] [demo] [test] [heavy] [static] [bench] [bench-long] [matrix]      default: build
#
# As root by apt-get; as an ordinary user by sudo where that is there; with neither it prints
# the line to run and ends with 1. With nothing missing it needs neither network nor rights.
# shellcheck disable=SC2034  # the groups are named by the arguments
set -euo pipefail

# PACKAGE, or PACKAGE:COMMAND where the command from elsewhere is as good.
build=(gcc:cc libc6-dev make:make pkg-config:pkg-config libseccomp-dev libcap-dev libyaml-dev libssl-dev
	libarchive-dev libjansson-dev libdeflate-dev libzstd-dev libexpat1-dev libcurl4-openssl-dev scdoc:scdoc)
# `make demo` makes a root filesystem with these.
demo=(dpkg:dpkg-deb tar:tar)
[ "$(id -u)" != 0 ] || demo+=(mmdebstrap:mmdebstrap)
test=(libcmocka-dev perl:prove bats:bats shellcheck:shellcheck universal-ctags:ctags busybox-static
	skopeo:skopeo umoci:umoci podman:podman uidmap:newuidmap openssl:openssl mtree-netbsd jq:jq libarchive-tools:bsdtar python3:python3 bzip2:bzip2 xz-utils:xz zstd:zstd mmdebstrap:mmdebstrap
	strace:strace nodejs:node npm:npm git:git procps:pgrep zip:zip docker-registry:docker-registry curl:curl zsh:zsh fish:fish rpm:rpmbuild db5.3-util:db5.3_load)
# What only `make check-long` needs: fuzzers, what makes a package and judges it, and what runs an image.
heavy=(clang:clang libclang-rt-14-dev lintian:lintian dpkg-dev:dpkg-shlibdeps man-db:man softhsm2:softhsm2-util libengine-pkcs11-openssl
	podman:podman runc:runc)
# Archives of what libarchive was built with, for `make static`.
static=(libbz2-dev liblz4-dev liblzma-dev libzstd-dev nettle-dev zlib1g-dev)
# Rivals that `make bench` measures against.
bench=(bubblewrap:bwrap crun:crun runc:runc strace:strace perl:perl python3-yaml
	openssl:openssl pigz:pigz zstd:zstd umoci:umoci)
# What `make bench-long` makes a root filesystem with.
bench_long=(mmdebstrap:mmdebstrap)
# Other sandboxes, that `make bench-matrix` tries the probes on, and podman's seccomp profile for those that bring none.
matrix=(busybox-static bubblewrap:bwrap crun:crun runc:runc systemd-container:systemd-nspawn firejail:firejail
	golang-github-containers-common python3:python3)

# The packages of the lists named that this host lacks.
missing()
{
	local group item
	for group; do
		local -n items=${group/-/_}
		for item in "${items[@]}"; do
			case $item in
			*:*) command -v "${item#*:}" >/dev/null && continue ;;
			esac
			[ "$(dpkg-query -W -f '${db:Status-Status}' "${item%%:*}" 2>/dev/null)" = installed ] ||
				printf '%s\n' "${item%%:*}"
		done
	done
}

groups=()
for group in "${@:-build}"; do
	case $group in
	build | demo | test | heavy | static | bench | bench-long | matrix) groups+=("$group") ;;
	*)
		printf 'deps.sh: no such group: %s (build, demo, test, heavy, static, bench, bench-long, matrix)\n' "$group" >&2
		exit 2
		;;
	esac
done

mapfile -t wanted < <(missing "${groups[@]}")
[ ${#wanted[@]} -gt 0 ] || exit 0
install=(apt-get install --yes --no-install-recommends "${wanted[@]}")

as_root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" != 0 ]; then
	# A person at a terminal can give sudo a password; nobody else can.
	if ! command -v sudo >/dev/null || ! { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
		printf 'glovebox needs packages that are not installed. As root, run:\n\n    %s\n\n' "${install[*]}" >&2
		exit 1
	fi
	as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
fi

printf 'installing: %s\n' "${wanted[*]}"
lists=(/var/lib/apt/lists/*Packages*)
if [ ! -e "${lists[0]}" ]; then
	"${as_root[@]}" apt-get -q update
	"${as_root[@]}" "${install[@]}" -q
elif ! "${as_root[@]}" "${install[@]}" -q; then
	# The lists may be older than the mirror.
	"${as_root[@]}" apt-get -q update
	"${as_root[@]}" "${install[@]}" -q
fi

mapfile -t wanted < <(missing "${groups[@]}")
if [ ${#wanted[@]} -gt 0 ]; then
	printf 'deps.sh: still missing after installing: %s\n' "${wanted[*]}" >&2
	exit 1
fi
