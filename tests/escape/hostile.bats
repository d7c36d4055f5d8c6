#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Promises 10 and 11: hostile outputs, root filesystems and inputs.
# shellcheck disable=SC2016  # scripts for the shell in the box
load lib

setup_file()
{
	begin_escape
	echo secret >"$WORK/secret"
	mkdir "$WORK/precious" && echo mine >"$WORK/precious/file"
}
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	mkdir "$DIR"
}

# ---- 10: outputs ------------------------------------------------------------------------------------

# odd WHAT: an output directory with that in it, in each profile; $GOT is the last.
odd()
{
	local profile
	for profile in "${PROFILES[@]}"; do
		GOT=$DIR/$1-$profile
		"$PROBE" alone "$GLOVEBOX" exec --rootfs "$ROOTFS" --profile "$profile" --output "/out=$GOT" --receipt "$DIR/receipt" -- \
			/bin/probe act odd /out "$1"
	done
}

@test "[10] links in an output stay links, whether they lead out, up, into /proc or round" {
	odd passwd && is "$(readlink "$GOT/odd")" /etc/passwd
	odd up && is "$(readlink "$GOT/odd")" ..
	odd proc && is "$(readlink "$GOT/odd")" /proc/self/root/etc
	odd loop && is "$(readlink "$GOT/odd")" odd
}

@test "[10] an output directory that the command makes a link is not followed" {
	expect_status 0 box --output "/out=$DIR/out" -- sh -c 'mkdir /out/a && ln -s /etc /out/a/etc && ln -s ../../../../../../../etc/passwd /out/p'
	[ -L "$DIR/out/a/etc" ] && [ -L "$DIR/out/p" ]
	expect_status 0 box --output "/out=$DIR/other" -- sh -c 'rmdir /out; mv /out /tmp/x; ln -s /etc /out; true'
	[ -L "$DIR/other/etc" ] && is "$(ls -A "$DIR/other")" etc
}

@test "[10] no fifo, socket or device comes out" {
	odd fifo
	is "$(find "$GOT" -mindepth 1 | wc -l)" 0
	odd socket
	is "$(find "$GOT" -mindepth 1 | wc -l)" 0
}

@test "[10] names with newlines, with bytes that are no text, of 255 bytes come out as they are" {
	odd newline && [ -f "$GOT/od"$'\n'd ]
	odd bytes && [ -f "$GOT/od"$'\xff\xfe\x01'd ]
	odd long && is "$(cd "$GOT" && printf '%s' * | wc -c)" 255
}

@test "[10] a path of nearly 4,096 bytes comes out, a longer one is refused by name and nothing is handed over" {
	odd deep && is "$(find "$GOT" -name bottom | wc -l)" 1
	expect_status 125 box --output "/out=$DIR/deeper" --receipt "$DIR/receipt" -- /bin/probe act odd /out deeper
	expect_output dddddddd
	jq -e '.error | contains("dddd")' "$DIR/receipt"
	[ ! -e "$DIR/deeper" ]
}

@test "[10] hard links come out as files of their own" {
	odd hardlink
	is "$(cat "$GOT/one" "$GOT/two")" $'probe\nprobe'
	is "$(stat -c %h "$GOT/one")" 1
}

@test "[10] what cannot be read is refused by name" {
	expect_status 125 box --output "/out=$DIR/shut" -- /bin/probe act odd /out shut
	expect_output odd
	expect_status 125 box --output "/out=$DIR/unreadable" -- /bin/probe act odd /out unreadable
	expect_output odd
	[ ! -e "$DIR/shut" ] && [ ! -e "$DIR/unreadable" ]
}

@test "[10] [8] no setuid bit comes out, by an archive either" {
	expect_status 0 box --ro "$WORK/in:/in" --output "/out=$DIR/out" -- sh -c '
		cp -p /in/suid /out/copied; tar -C /in -c suid sgid | tar -C /out -x -p; cd /in && find . | cpio -o -H newc >/tmp/a.cpio; cd /out && cpio -i </tmp/a.cpio; true'
	[ -e "$DIR/out/copied" ] && [ -e "$DIR/out/sgid" ]
	is "$(find "$DIR/out" -perm /6000)" ""
}

@test "[10] in run, a source that is a link to a secret is a link in the image" {
	new_spec "$DIR/spec" "mkdir -p made; cp input.txt made/twice; ln -s $WORK/secret made/secret; ln -s /proc/self/root made/root"
	glovebox run "$DIR/spec/build.yaml" --quiet
	tar -xOf "$DIR/spec/out/image.tar" --wildcards 'blobs/sha256/*' >"$DIR/blobs"
	run ! grep -qa '^secret$' "$DIR/blobs"
}

# ---- 11: root filesystems ----------------------------------------------------------------------------

# refused NAME WORD...: either the import or exec refuses the root filesystem $DIR/root by name; nothing runs.
refused()
{
	local name=$1
	shift
	if output=$(glovebox rootfs import "$name" "$DIR/root" 2>&1); then
		run glovebox exec --rootfs "$name" --rw "$WORK/live:/live" "$@" -- sh -c 'echo ran >/live/ran'
		is "$status" 125
	fi
	[ ! -e "$WORK/live/ran" ]
}

fresh_root()
{
	rm -rf "$DIR/root"
	mkdir -p "$DIR/root/bin" "$DIR/root/etc"
	cp "$(command -v busybox)" "$DIR/root/bin/busybox"
	for name in sh cat ls cut grep; do
		ln -s busybox "$DIR/root/bin/$name"
	done
}

@test "[11] a root filesystem whose /dev, /proc, /sys, /etc, /tmp or /build is a link or a file is refused by name" {
	for place in dev proc sys etc tmp build; do
		for to in "$WORK/precious" ../../../../../../etc /proc/self/root /proc/1/cwd . "$place"; do
			fresh_root
			rm -rf "${DIR:?}/root/$place"
			ln -s "$to" "$DIR/root/$place"
			refused hostile
			expect_output "/$place"
		done
		fresh_root
		rm -rf "${DIR:?}/root/$place"
		echo x >"$DIR/root/$place"
		refused hostile
		expect_output "/$place"
	done
	is "$(ls -A "$WORK/precious")" file
}

@test "[11] what lies in its own /dev, /proc and /sys is covered" {
	fresh_root
	mkdir -p "$DIR/root/dev" "$DIR/root/proc/self" "$DIR/root/sys/kernel" "$DIR/root/tmp" "$DIR/root/build/home"
	for file in dev/planted dev/null proc/planted proc/self/planted sys/planted sys/kernel/planted tmp/planted build/home/planted; do
		echo planted >"$DIR/root/$file"
	done
	ln -s /tmp "$DIR/root/dev/shm"
	ln -s "$WORK/precious" "$DIR/root/dev/pts"
	glovebox rootfs import covered "$DIR/root"
	run glovebox exec --rootfs covered -- sh -c 'ls -a /dev /proc /proc/self /sys /tmp /build/home | grep planted; cat /dev/null; ls -ld /dev/shm /dev/pts | cut -c1'
	is "$output" $'d\nd'
}

@test "[11] generated files of /etc are not written through its links" {
	for file in passwd group hosts nsswitch.conf resolv.conf; do
		fresh_root
		ln -sf "$WORK/precious/file" "$DIR/root/etc/$file"
		glovebox rootfs import links "$DIR/root"
		run glovebox exec --rootfs links -- cat "/etc/$file"
		[[ $output != *mine* ]]
		is "$(cat "$WORK/precious/file")" mine
	done
}

@test "[11] a mount whose target, or a parent of it, is a link is refused by name" {
	fresh_root
	mkdir "$DIR/root/opt"
	ln -s "$WORK/precious" "$DIR/root/absolute"
	ln -s ../../../../etc "$DIR/root/relative"
	ln -s /proc/self/root "$DIR/root/magic"
	ln -s /tmp "$DIR/root/opt/inner"
	ln -s bin "$DIR/root/lib"
	echo x >"$DIR/root/file"
	glovebox rootfs import targets "$DIR/root"
	for target in /absolute /absolute/x /relative /relative/x /magic /magic/etc /opt/inner /opt/inner/x /file /file/x /opt/missing; do
		for option in --ro --rw; do
			expect_status 125 glovebox exec --rootfs targets $option "$WORK/live:$target" -- sh -c 'echo ran'
			expect_output "$target"
			[[ $output != *ran* ]]
		done
		expect_status 125 glovebox exec --rootfs targets --output "$target=$DIR/out" -- true
	done
	is "$(ls -A "$WORK/precious")" file
}

@test "[11] nothing is mounted on /, on or below /dev, /proc and /sys" {
	for target in / /dev /dev/x /dev/shm /proc /proc/self /sys /sys/x /./proc /proc/../proc /in/../proc //proc; do
		expect_status 125 box --rw "$WORK/live:$target" -- true
	done
}

@test "[11] an archive cannot lay out anything outside its root" {
	python3 - "$DIR" "$WORK/precious" <<'END'
import io, sys, tarfile
out, victim = sys.argv[1:]
def archive(name, *members):
    with tarfile.open(f"{out}/{name}.tar", "w") as tar:
        for path, kind, extra in members:
            m = tarfile.TarInfo(path)
            m.type, m.mode = kind, 0o4755
            data = b""
            if kind == tarfile.REGTYPE:
                data = b"planted"
                m.size = len(data)
            else:
                m.linkname = extra or ""
            m.devmajor, m.devminor = 1, 1
            tar.addfile(m, io.BytesIO(data))
F, L, H, D, C = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE
archive("up", ("../planted", F, None))
archive("deep", ("a/../../planted", F, None))
archive("absolute", (f"{victim}/planted", F, None))
archive("through", ("link", L, victim), ("link/planted", F, None))
archive("hard", ("hard", H, f"{victim}/file"))
archive("hardup", ("hard", H, "../../../../../../etc/passwd"))
archive("twice", ("x", L, victim), ("x", F, None))
archive("node", ("null", C, None), ("mem", C, None))
END
	for archive in "$DIR"/*.tar; do
		glovebox rootfs import archive "$archive" || true
	done
	is "$(ls -A "$WORK/precious")" file
	is "$(cat "$WORK/precious/file")" mine
	is "$(find "$DIR" "$WORK/precious" -name planted)" ""
	is "$(find "$GLOVEBOX_STORE" \( -type c -o -type b -o -perm /6000 \) -not -name store)" ""
}

# ---- 11: inputs ----------------------------------------------------------------------------------------

@test "[11] an input's links lead nowhere but inside the box" {
	mkdir "$DIR/in"
	ln -s "$WORK/secret" "$DIR/in/secret"
	ln -s ../secret "$DIR/in/up"
	ln -s /proc/self/root/etc/shadow "$DIR/in/proc"
	ln -s loop "$DIR/in/loop"
	for profile in "${PROFILES[@]}"; do
		run box --profile "$profile" --ro "$DIR/in:/in" -- sh -c 'cat /in/secret /in/up /in/proc /in/loop 2>/dev/null; ls /in | wc -l'
		is "$output" 4
	done
}

@test "[11] an input with a fifo, a socket or a device is refused by name, or comes without" {
	mkdir "$DIR/in"
	echo x >"$DIR/in/file"
	mkfifo "$DIR/in/fifo"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$DIR/in/sock"
	[ "$(id -u)" != 0 ] || mknod "$DIR/in/null" c 1 3
	run timeout 300 "$GLOVEBOX" exec --rootfs "$ROOTFS" --ro "$DIR/in:/in" -- ls /in
	case $status in
	0) is "$output" file ;;
	*) [[ $output == *fifo* || $output == *sock* || $output == *null* ]] ;;
	esac
}

@test "[11] odd names in an input arrive as they are" {
	mkdir "$DIR/in"
	touch "$DIR/in/a"$'\n'b "$DIR/in/-rf" "$DIR/in/ " "$DIR/in/"$'\xff' "$DIR/in/$(printf 'n%.0s' {1..255})" "$DIR/in/\\" "$DIR/in/*"
	is "$(box --ro "$DIR/in:/in" -- sh -c 'cd /in && set -- ./* && echo $#')" 7
}

@test "[11] an input that is itself a link, a file, or missing" {
	ln -s "$WORK/precious" "$DIR/link"
	expect_status 125 box --ro "$DIR/none:/in" -- true
	expect_status 125 box --ro "$WORK/secret:/in" -- true
	# Where a link leads is the caller's wish; what is below it is not followed further.
	run box --ro "$DIR/link:/in" -- ls /in
	[ "$status" = 125 ] || is "$output" file
}
