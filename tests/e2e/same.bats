#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# One spec gives one image, whoever builds it, wherever, whenever.
load lib

setup_file()
{
	begin_file
	new_spec "$WORK/first"
	"$GLOVEBOX" run "$WORK/first/build.yaml" --out "$WORK/reference"
}
teardown_file() { end_file; }

# same_as_reference OUT
same_as_reference()
{
	is "$(cat "$1/image.digest")" "$(cat "$WORK/reference/image.digest")"
	cmp "$1/image.tar" "$WORK/reference/image.tar"
}

@test "in another directory" {
	new_spec "$WORK/a much/longer/path with spaces"
	glovebox run "$WORK/a much/longer/path with spaces/build.yaml" --out "$WORK/out-dir"
	same_as_reference "$WORK/out-dir"
}

@test "from another working directory, by a relative path" {
	cd "$WORK"
	glovebox run first/build.yaml --out out-relative
	same_as_reference "$WORK/out-relative"
}

@test "with another umask" {
	(umask 077 && new_spec "$WORK/umask" && glovebox run "$WORK/umask/build.yaml" --out "$WORK/out-umask")
	same_as_reference "$WORK/out-umask"
}

@test "with another HOME, locale, time zone and environment" {
	mkdir "$WORK/home"
	env HOME="$WORK/home" TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8 LANG=de_DE.UTF-8 USER=nobody MAKEFLAGS=-j9 CFLAGS=-g \
		SOURCE_DATE_EPOCH=1 PWD=/nowhere "$GLOVEBOX" run "$WORK/first/build.yaml" --out "$WORK/out-env"
	same_as_reference "$WORK/out-env"
}

@test "with other times, other permissions of group and others, and another order of making" {
	mkdir "$WORK/order"
	for file in build.yaml input.txt; do
		cp "$WORK/first/$file" "$WORK/order/$file"
		chmod 600 "$WORK/order/$file"
	done
	touch -d 2001-01-01 "$WORK/order/input.txt" "$WORK/order"
	glovebox run "$WORK/order/build.yaml" --out "$WORK/out-order"
	same_as_reference "$WORK/out-order"
}

@test "behind setpriv --no-new-privs" {
	setpriv --no-new-privs "$GLOVEBOX" run "$WORK/first/build.yaml" --out "$WORK/out-nnp"
	same_as_reference "$WORK/out-nnp"
}

@test "with nice, another affinity and other limits" {
	(ulimit -n 256 && nice -n 5 taskset -c 0 "$GLOVEBOX" run "$WORK/first/build.yaml" --out "$WORK/out-limits")
	same_as_reference "$WORK/out-limits"
}

@test "with another store" {
	GLOVEBOX_STORE=$WORK/store2 glovebox rootfs import tiny "$WORK/rootfs"
	GLOVEBOX_STORE=$WORK/store2 glovebox run "$WORK/first/build.yaml" --out "$WORK/out-store"
	same_as_reference "$WORK/out-store"
}

@test "by another user" {
	if [ "$(id -u)" = 0 ]; then
		# An ordinary user, whose own id is the one that is mapped.
		mkdir "$WORK/user"
		chown 61234:61235 "$WORK/user"
		other=(setpriv --reuid=61234 --regid=61235 --clear-groups env HOME="$WORK/user")
	else
		# Uid 0 of a user namespace that maps one id: what a rootless container has.
		mkdir "$WORK/user"
		other=(unshare --user --map-root-user)
	fi
	cp -r "$WORK/first" "$WORK/user-spec"
	program=$(program_for_others)
	chmod -R go+rX "$WORK/user-spec" "$WORK/rootfs"
	"${other[@]}" "$program" rootfs import tiny "$WORK/rootfs" --store "$WORK/user/store"
	"${other[@]}" "$program" run "$WORK/user-spec/build.yaml" --store "$WORK/user/store" --out "$WORK/user/out"
	same_as_reference "$WORK/user/out"
}

@test "the tree of a directory is the same for a tar of it" {
	tar -C "$WORK/rootfs" -cf "$WORK/rootfs.tar" --owner=0 --group=0 .
	gzip -k "$WORK/rootfs.tar"
	is "tiny@$(glovebox rootfs import again "$WORK/rootfs.tar" | tail -n 1)" "$ROOTFS"
	is "tiny@$(glovebox rootfs import again "$WORK/rootfs.tar.gz" | tail -n 1)" "$ROOTFS"
}
