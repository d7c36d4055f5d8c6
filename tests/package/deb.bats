#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The Debian package of `make deb`: the same bytes each time, as lintian wants it, and what is in it works.
load ../e2e/lib

setup_file()
{
	begin_file
	DEB=$(realpath "${O:-build}"/deb/glovebox_*.deb)
	export DEB
	mkdir "$WORK/tree"
	dpkg-deb -x "$DEB" "$WORK/tree"
}
teardown_file() { end_file; }

@test "made again by whoever runs this, elsewhere, it has the same bytes" {
	mkdir "$WORK/again"
	version=$(dpkg-deb -f "$DEB" Version)
	(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 packaging/deb.sh "${O:-build}/deb/installed" "${version%-*}" "$WORK/again")
	cmp "$DEB" "$WORK/again/${DEB##*/}"
}

@test "compiled again in another directory, it has the same bytes" {
	cmp "$DEB" "${O:-build}/twice/deb/${DEB##*/}"
}

@test "lintian has nothing to say" {
	run lintian --allow-root --fail-on error,warning,info --display-info "$DEB"
	is "$status:$output" "0:"
}

@test "no setuid, no service, no configuration, nothing that runs when it is installed" {
	is "$(dpkg-deb -c "$DEB" | awk '$1 !~ /^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x)$/ || $2 != "root/root"')" ""
	is "$(dpkg-deb -c "$DEB" | grep -E '/(etc|lib/systemd|var|run)/')" ""
	is "$(dpkg-deb --ctrl-tarfile "$DEB" | tar -t | sort | tr '\n' ' ')" "./ ./control ./md5sums "
	(cd "$WORK/tree" && dpkg-deb -I "$DEB" md5sums | md5sum --quiet -c && is "$(dpkg-deb -I "$DEB" md5sums | wc -l)" "$(find . -type f | wc -l)")
}

@test "it depends on what the engine is linked with, and on what it loads" {
	depends=$(dpkg-deb -f "$DEB" Depends)
	for package in libarchive13 libc6 libcap2 libcurl4 libdeflate0 libjansson4 libseccomp2 libssl3 libyaml-0-2 libzstd1; do
		[[ $depends == *"$package"* ]] || { echo "$depends: no $package"; return 1; }
	done
	is "$(dpkg-deb -f "$DEB" Recommends)" git
}

@test "unpacked into a directory it runs: the small program, the engine, a command in the box" {
	program=$WORK/tree/usr/bin/glovebox
	is "$("$program" --version)" "glovebox $(dpkg-deb -f "$DEB" Version | cut -d- -f1)"
	is "$("$program" rootfs list | awk '{ print $1 }')" "$ROOTFS"
	expect_status 7 "$program" exec --rootfs "$ROOTFS" -- /bin/sh -c 'exit 7'
	is "$("$program" exec --rootfs "$ROOTFS" -- /bin/echo hello)" hello
}

@test "unpacked into a directory it tests itself" {
	"$WORK/tree/usr/bin/glovebox" doctor --limits best-effort --self-test >"$WORK/report.md"
	grep -qx 'Verdict: nothing got through.' "$WORK/report.md"
}

@test "what was stripped is as hard as before" {
	for program in bin/glovebox libexec/glovebox/glovebox-engine; do
		readelf -lWd "$WORK/tree/usr/$program" >"$WORK/facts"
		grep -q GNU_RELRO "$WORK/facts"
		grep -q BIND_NOW "$WORK/facts"
		grep -Eq 'GNU_STACK.* RW ' "$WORK/facts"
	done
}

@test "each command has its page, and each shell its completion" {
	share=$WORK/tree/usr/share
	while IFS= read -r command; do
		man -l "$share/man/man1/glovebox-$command.1.gz" | grep -q "^ *glovebox $command"
	done < <("$GLOVEBOX" --help | sed -n '/^commands:/,$s/^  \([a-z][a-z-]*\) .*/\1/p')
	bash -n "$share/bash-completion/completions/glovebox"
	zsh -n "$share/zsh/vendor-completions/_glovebox"
	fish --no-config --no-execute "$share/fish/vendor_completions.d/glovebox.fish"
}
