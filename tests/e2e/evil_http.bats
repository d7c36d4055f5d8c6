#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An HTTP client that was taken over: recv(3), by which libcurl takes what a server sends, is replaced (LD_PRELOAD) by code that tries to read the
# store and the keys, to write, to start, signal and trace processes, and to reach local services. It gets nothing.
load lib

setup_file()
{
	begin_file
	# A program without shared libraries (make static) takes libcurl from the same file, but nothing can be put in its place.
	if ! ldd "$GLOVEBOX-engine" >/dev/null 2>&1; then
		GLOVEBOX=$(realpath "${O:-build}/glovebox")
		export GLOVEBOX
	fi
	"${CC:-cc}" -shared -fPIC -O1 -Wall -D_GNU_SOURCE -DEVIL_HTTP -o "$WORK/evil.so" "$BATS_TEST_DIRNAME/evil_decoder.c"
	mkdir -p "$WORK/www/files"
	echo content >"$WORK/www/files/data"
	python3 tests/e2e/server.py "$WORK/www" "$WORK/port" >/dev/null 2>&1 3>&- &
	echo $! >"$WORK/pids"
	# A local service that anybody may connect to, and that leaves a trace of it.
	python3 - "$WORK/socket" "$WORK/connected" >/dev/null 2>&1 3>&- <<'END' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
s.listen()
while True:
    s.accept()
    open(sys.argv[2], 'w').close()
END
	echo $! >>"$WORK/pids"
	wait_until test -s "$WORK/port"
	wait_until test -S "$WORK/socket"
	chmod 777 "$WORK/socket"
	URL=http://127.0.0.1:$(cat "$WORK/port")/ok/data
	export URL
	unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY SSL_CERT_FILE
	new_key "$WORK/key"
	mkdir "$WORK/spec"
	cat >"$WORK/spec/build.yaml" <<END
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: fetched }
spec:
  rootfs: { ref: "$ROOTFS" }
  sources:
    - { name: src, url: "$URL", digest: "sha256:$(sha256sum <"$WORK/www/files/data" | cut -d' ' -f1)" }
  build: { command: 'true', artifact: { imageName: e2e/x, base: scratch } }
END
	mkdir "$WORK/unpinned"
	sed 's/, digest: "[^"]*"//' "$WORK/spec/build.yaml" >"$WORK/unpinned/build.yaml"
}

teardown_file()
{
	local pid
	while read -r pid; do kill "$pid" || true; done <"$WORK/pids"
	end_file
}

# A file that holds a secret, and which everybody who gets that far may read: what is in the way is not its mode.
setup()
{
	rm -f "$WORK"/mark* "$WORK/connected"
	printf 'untouched' >"$WORK/mark.victim"
	chmod 644 "$WORK/mark.victim"
	chmod -R a+rX "$GLOVEBOX_STORE"
	cp "$WORK/key.pem" "$WORK/secret"
	chmod 644 "$WORK/secret"
}

# deed NAME COMMAND...: runs the command with that client.
deed()
{
	local deed=$1
	shift
	local object
	object=$(find "$GLOVEBOX_STORE/objects" -type f | head -n 1)
	output=$(LD_PRELOAD=$WORK/evil.so EVIL=$deed EVIL_MARK=$WORK/mark EVIL_SOCKET=$WORK/socket \
		EVIL_SECRETS=$WORK/secret:$object:$GLOVEBOX_STORE/objects:$WORK/spec/build.yaml "$@" 2>&1) && status=0 || status=$?
	printf '%s: %d: %s\n' "$deed" "$status" "$output"
}

# evil DEED COMMAND...: glovebox with it. It has run, confined, and has left no trace.
evil()
{
	local deed=$1
	shift
	deed "$deed" "$GLOVEBOX" "$@"
	case $status in 0 | 137 | 139) return 1 ;; esac
	[ ! -e "$WORK/mark" ]
	[ ! -e "$WORK/connected" ]
	is "$(stat -c %a "$WORK/mark.victim")" 644
	is "$(cat "$WORK/mark.victim")" untouched
	case $output in *"the process that speaks HTTP"*) ;; *) return 1 ;; esac
}

# died_of SIGNAL...: by one of these.
died_of()
{
	local signal
	for signal; do
		case $output in *"(signal $signal"*) return 0 ;; esac
	done
	return 1
}

@test "in a program that does not confine its client it gets what it wants" {
	for deed in none files exec fork socket connect secret; do
		rm -f "$WORK"/mark "$WORK/connected"
		deed $deed curl -s -o "$WORK/got" "$URL"
		case $deed in
		none) [ "$status" = 132 ] || [ "$status" = 133 ] ;;
		secret) is "$status" 134 ;;
		connect) wait_until test -e "$WORK/connected" ;;
		*) [ -e "$WORK/mark" ] ;;
		esac
	done
	deed kill curl -s -o "$WORK/got" "$URL"
	is "$status" 137
}

@test "it is the replaced one that speaks" {
	evil none plan "$WORK/spec/build.yaml"
	died_of 4 5
}

@test "it reads no file of the store, no key, no spec, and makes none" {
	for deed in secret files; do
		evil $deed plan "$WORK/spec/build.yaml"
		died_of 4 5
	done
}

@test "it reaches no local service, and offers none" {
	for deed in connect socket; do
		evil $deed plan "$WORK/spec/build.yaml"
		died_of 4 5
	done
}

@test "it starts, signals, traces and reads no process, and becomes nobody else" {
	for deed in fork exec kill ptrace memory unlink truncate chmod ids unshare; do
		evil $deed plan "$WORK/spec/build.yaml"
		died_of 31
	done
}

@test "what it writes to every descriptor that is open is believed nowhere" {
	evil descriptors plan "$WORK/spec/build.yaml"
	[[ $output == *"makes no sense"* || $output == *"(signal "[45]* ]]
}

@test "so it is wherever HTTP is spoken: run, lock, registries" {
	local host=${URL#http://}
	host=${host%%/*}
	for deed in secret fork; do
		evil $deed run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem" --builder-id https://ci.example.com/1
		evil $deed lock "$WORK/unpinned/build.yaml"
		evil $deed rootfs import x "oci:$host/a/b@sha256:$(printf '0%.0s' {1..64})"
		evil $deed image pull "$host/a/b:c" -o "$WORK/pulled.tar"
	done
	[ ! -e "$WORK/out/provenance.json" ]
}

@test "with the real one all of this is well" {
	expect_status 0 glovebox plan "$WORK/spec/build.yaml"
	expect_status 0 glovebox run "$WORK/spec/build.yaml" --out "$WORK/out" --key "$WORK/key.pem" --builder-id https://ci.example.com/1
}
