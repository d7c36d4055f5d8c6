#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A decompressor that was taken over: in the place of the real ones, by LD_PRELOAD, whatever the program reads. It tries to open files and
# sockets, to start, signal, trace and read processes, and gets nothing.
load lib

setup_file()
{
	begin_file
	# A program without shared libraries (make static) has no decompressor that could be replaced; it is made of the same code.
	if ! ldd "$GLOVEBOX-engine" | grep -q libarchive; then
		GLOVEBOX=$(realpath "${O:-build}/glovebox")
		export GLOVEBOX
	fi
	"${CC:-cc}" -shared -fPIC -O1 -Wall -D_GNU_SOURCE -o "$WORK/evil.so" "$BATS_TEST_DIRNAME/evil_decoder.c"
	mkdir "$WORK/tree"
	seq 1 1000 >"$WORK/tree/file"
	for codec in gzip bzip2 xz zstd; do
		tar -C "$WORK/tree" -cf - file | "$codec" >"$WORK/tree.tar.$codec"
	done
	"$GLOVEBOX" image pack "$WORK/tree" -o "$WORK/a.tar" | tail -n 1 >"$WORK/a.digest"
	seq 1 999 >"$WORK/tree/file"
	"$GLOVEBOX" image pack "$WORK/tree" -o "$WORK/b.tar" --compression zstd >/dev/null
	mkdir "$WORK/layout"
	tar -C "$WORK/layout" -xf "$WORK/a.tar"
	new_spec "$WORK/spec"
	new_key "$WORK/key"
	"$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem" --builder-id https://ci.example.com/1
}
teardown_file() { end_file; }

# evil DEED COMMAND...: runs glovebox with that decompressor. It has run, confined, has left no trace of what it tried, and glovebox says that its
# reader died: by a call that it may not make, or of the trap at the end of the deed.
evil()
{
	local deed=$1 mark=$WORK/mark
	shift
	printf 'untouched' >"$mark.victim"
	chmod 644 "$mark.victim"
	[ ! -e "$mark" ]
	output=$(LD_PRELOAD=$WORK/evil.so EVIL=$deed EVIL_MARK=$mark "$GLOVEBOX" "$@" 2>&1) && status=0 || status=$?
	printf '%s: %d: %s\n' "$deed" "$status" "$output"
	# 137 is 128 + SIGKILL: the runner itself.
	case $status in 0 | 137 | 139) return 1 ;; esac
	if [ -e "$mark" ]; then
		echo "left a trace"
		return 1
	fi
	is "$(stat -c %a "$mark.victim")" 644
	is "$(cat "$mark.victim")" untouched
	case $output in *EVIL-WAS-HERE*) return 1 ;; esac
}

# died_of SIGNAL...: the reader was ended by one of these.
died_of()
{
	local signal
	for signal; do
		case $output in *"(signal $signal"*) return 0 ;; esac
	done
	echo "did not die of: $*"
	return 1
}

@test "unpacked by whoever: the decompressor of each codec is the replaced one" {
	for codec in gzip bzip2 xz zstd; do
		evil none rootfs import evil "$WORK/tree.tar.$codec"
		died_of 4 5
	done
}

@test "in a program that does not confine its readers it gets what it wants" {
	for deed in files inet fork exec socket; do
		LD_PRELOAD=$WORK/evil.so EVIL=$deed EVIL_MARK=$WORK/mark bsdtar -tf "$WORK/tree.tar.gzip" || true
		[ -e "$WORK/mark" ]
		rm "$WORK/mark"
	done
	expect_status 137 env LD_PRELOAD="$WORK/evil.so" EVIL=kill EVIL_MARK="$WORK/mark" bsdtar -tf "$WORK/tree.tar.gzip"
}

@test "it opens, looks up and makes no file" {
	for codec in gzip bzip2 xz zstd; do
		evil files rootfs import evil "$WORK/tree.tar.$codec"
		died_of 4 5
	done
}

@test "it makes no socket and no process, executes, signals, traces and reads none, and becomes nobody else" {
	for deed in socket inet fork exec kill ptrace memory unlink truncate chmod ids unshare; do
		evil $deed rootfs import evil "$WORK/tree.tar.gzip"
		died_of 31
	done
}

@test "what it writes to every descriptor that is open is believed nowhere" {
	evil descriptors rootfs import evil "$WORK/tree.tar.gzip"
	run glovebox rootfs show evil
	[ "$status" -ne 0 ]
}

@test "so it is wherever something is decompressed: layers of an image imported, verified, compared, packed on; an unpacked source" {
	mkdir -p "$WORK/src"
	cat >"$WORK/src/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: unpacked }
spec:
  rootfs: { ref: $ROOTFS }
  sources:
    - name: src
      url: file://$WORK/tree.tar.gzip
      digest: sha256:$(sha256sum <"$WORK/tree.tar.gzip" | cut -d' ' -f1)
      unpack: true
  build: { command: 'true', artifact: { imageName: e2e/x, base: scratch } }
END
	for deed in files socket fork kill; do
		evil $deed rootfs import evil "$WORK/layout"
		died_of 4 5 31
		evil $deed rootfs import evil "$WORK/b.tar"
		died_of 4 5 31
		evil $deed verify "$WORK/out" --deep --key "$WORK/key.pub.pem"
		died_of 4 5 31
		evil $deed diff "$WORK/a.tar" "$WORK/b.tar"
		died_of 4 5 31
		evil $deed image pack "$WORK/tree" --base "oci:$WORK/layout@$(cat "$WORK/a.digest")" -o "$WORK/on.tar"
		died_of 4 5 31
		evil $deed run "$WORK/src/build.yaml" --out "$WORK/src.out"
		died_of 4 5 31
	done
}

@test "with the real ones all of this is well" {
	glovebox rootfs import good "$WORK/tree.tar.gzip"
	glovebox rootfs import good "$WORK/layout"
	expect_status 0 glovebox verify "$WORK/out" --deep --key "$WORK/key.pub.pem"
	expect_status 1 glovebox diff "$WORK/a.tar" "$WORK/b.tar"
}
