#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signing keys: their files, their passphrases, and where a key is while steps run.
load lib

setup_file()
{
	begin_file
	new_spec "$WORK/spec"
	echo 'correct horse' >"$WORK/pass"
	glovebox key generate "$WORK/sealed" --type ed25519 --passphrase-fd 3 3<"$WORK/pass" >"$WORK/id"
}
teardown_file() { end_file; }

setup()
{
	DIR=$WORK/$BATS_TEST_NUMBER
	mkdir -p "$DIR"
}

at_terminal() { tests/e2e/at_terminal.py "$@"; }

@test "key show tells type, id, which half, and whether it is encrypted" {
	for type in p256 ed25519; do
		glovebox key generate "$DIR/$type" --type $type >"$DIR/id"
		expect_status 0 glovebox key show "$DIR/$type.pem" --json
		is "$(jq -c '[.private, .encrypted, .keyId]' <<<"$output")" "[true,false,\"$(cat "$DIR/id")\"]"
		expect_status 0 glovebox key show "$DIR/$type.pub.pem"
		expect_output ", public"
		expect_output "$(cat "$DIR/id")"
	done
	expect_status 0 glovebox key show "$WORK/sealed.pem" --json
	is "$(jq -c '[.private, .encrypted, .type, .keyId]' <<<"$output")" "[true,true,null,null]"
	expect_status 0 glovebox key show "$WORK/sealed.pem" --passphrase-fd 3 3<"$WORK/pass"
	expect_output "Ed25519, private, encrypted"
	expect_output "$(cat "$WORK/id")"
	expect_status 2 glovebox key generate "$DIR/x" --type rsa
	[ ! -e "$DIR/x.pem" ]
}

@test "openssl reads an encrypted key, and glovebox those of openssl" {
	is "$(stat -c %a "$WORK/sealed.pem")" 600
	openssl pkey -in "$WORK/sealed.pem" -passin "file:$WORK/pass" -pubout | cmp - "$WORK/sealed.pub.pem"
	run openssl pkey -in "$WORK/sealed.pem" -passin pass:other -pubout
	[ "$status" -ne 0 ]
	openssl genpkey -algorithm ED25519 -out "$DIR/plain.pem"
	openssl pkcs8 -topk8 -in "$DIR/plain.pem" -passout "file:$WORK/pass" -out "$DIR/pbkdf2.pem"
	openssl pkcs8 -topk8 -in "$DIR/plain.pem" -passout "file:$WORK/pass" -scrypt -out "$DIR/scrypt.pem"
	for file in pbkdf2 scrypt; do
		glovebox key show "$DIR/$file.pem" --passphrase-fd 3 --json 3<"$WORK/pass" | jq -e '.type == "Ed25519"'
	done
}

@test "run signs with an encrypted key whose passphrase comes from a descriptor" {
	expect_status 0 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem" --passphrase-fd 3 3<"$WORK/pass"
	expect_status 0 glovebox verify "$DIR/out" --key "$WORK/sealed.pub.pem"
	expect_status 0 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem" --passphrase-fd 0 <"$WORK/pass"
}

@test "a key that is open to others is not signed with" {
	cp "$WORK/sealed.pem" "$DIR/sealed.pem"
	new_key "$DIR/plain"
	for mode in 640 604 620 602 601 777; do
		chmod $mode "$DIR/plain.pem" "$DIR/sealed.pem"
		for key in plain sealed; do
			expect_status 2 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$DIR/$key.pem" --passphrase-fd 0 <<<secret
			expect_output "$key.pem: the private key is open to others than its owner (mode 0$mode); chmod 600 it"
			[ ! -e "$DIR/out" ]
		done
	done
	ln -s plain.pem "$DIR/link.pem"
	expect_status 2 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$DIR/link.pem"
	chmod 400 "$DIR/plain.pem"
	expect_status 0 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$DIR/link.pem"
	sign=(--verifier-id https://v.example.com --key "$DIR/plain.pub.pem")
	chmod 644 "$DIR/plain.pem"
	expect_status 2 glovebox verify "$DIR/out" --vsa "$DIR/vsa" --vsa-key "$DIR/plain.pem" "${sign[@]}"
	expect_status 2 glovebox reproduce "$DIR/out" --svr "$DIR/svr" --svr-key "$DIR/plain.pem" "${sign[@]}"
	expect_output "open to others"
	# Another's file is his to keep.
	if [ "$(id -u)" = 0 ]; then
		chown 4321 "$DIR/plain.pem"
		expect_status 0 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$DIR/plain.pem"
	fi
}

@test "a wrong, empty or missing passphrase is one clear error before anything runs" {
	run_with() { expect_status 2 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem" --passphrase-fd 0; }
	run_with <<<"wrong"
	expect_output "$WORK/sealed.pem: wrong passphrase (or the file is damaged)"
	is "$(wc -l <<<"$output")" 1
	run_with </dev/null
	expect_output "the passphrase is empty"
	head -c 2000 /dev/zero | tr '\0' x >"$DIR/long"
	run_with <"$DIR/long"
	expect_output "longer than 1024 bytes"
	expect_status 2 setsid --wait "$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem"
	expect_output "give --passphrase-fd N"
	expect_status 2 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem" --passphrase-fd 77
	expect_status 2 glovebox run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem" --passphrase-fd x
	[ ! -e "$DIR/out/image.tar" ]
}

@test "the terminal is asked, once and without echo, and is left as it was" {
	expect_status 0 at_terminal "correct horse" -- "$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem"
	expect_output "Passphrase for $WORK/sealed.pem: "
	[[ $output != *horse* ]]
	is "$(grep -o "Passphrase" <<<"$output" | wc -l)" 1
	expect_status 0 glovebox verify "$DIR/out" --key "$WORK/sealed.pub.pem"
	expect_status 2 at_terminal "wrong" -- "$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem"
	expect_status 130 at_terminal "^C" -- "$GLOVEBOX" run "$WORK/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem"
}

@test "a new passphrase is asked for twice" {
	expect_status 0 at_terminal two two -- "$GLOVEBOX" key generate "$DIR/key" --encrypt
	glovebox key show "$DIR/key.pem" --passphrase-fd 0 <<<two
	expect_status 2 at_terminal one two -- "$GLOVEBOX" key generate "$DIR/other" --encrypt
	expect_output "the two passphrases differ"
	expect_status 130 at_terminal one "^C" -- "$GLOVEBOX" key generate "$DIR/other" --encrypt
	[ ! -e "$DIR/other.pem" ] && [ ! -e "$DIR/other.pub.pem" ]
}

# begin_long_run: a run whose step lasts until end_wait; $RUNNER is its id, $SIGNER that of the process with the key.
begin_long_run()
{
	new_wait
	new_spec "$DIR/spec" "$WAIT"
	"$GLOVEBOX" run "$DIR/spec/build.yaml" --out "$DIR/out" --key "$WORK/sealed.pem" --passphrase-fd 3 3<"$WORK/pass" \
		>"$DIR/said" 2>&1 &
	RUNNER=$!
	wait_until waits
	# Of the runner's children the one that has nothing but its socket.
	local child
	SIGNER=
	for child in $(pgrep -P $RUNNER); do
		! is_signer "$child" || SIGNER=$child
	done
	[ -n "$SIGNER" ]
}

# The parent of the step's shell is the sandbox's init; the signer is the child of the runner that has no child.
is_signer() { ! pgrep -P "$1" >/dev/null && tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "--key $WORK/sealed.pem"; }

@test "while steps run the key is in no memory but that of one process, which holds nothing else" {
	openssl pkey -in "$WORK/sealed.pem" -passin "file:$WORK/pass" -outform DER -out "$DIR/key.der"
	seed=$(tail -c 32 "$DIR/key.der" | od -An -tx1 | tr -d ' \n')
	pass=$(printf 'correct horse' | od -An -tx1 | tr -d ' \n')
	begin_long_run
	# This process has the passphrase in no variable; the runner is looked through by whoever may.
	expect_status 4 tests/e2e/memory_has.py $RUNNER "$seed"
	expect_status 4 tests/e2e/memory_has.py $RUNNER "$pass"
	if [ "$(id -u)" = 0 ]; then
		expect_status 4 tests/e2e/memory_has.py "$SIGNER" "$pass"
		expect_status 0 tests/e2e/memory_has.py "$SIGNER" "$seed"
		is "$(find "/proc/$SIGNER/fd" -type l | wc -l)" 1
		for child in $(pgrep -P $RUNNER); do
			[ "$child" = "$SIGNER" ] || expect_status 4 tests/e2e/memory_has.py "$child" "$seed"
		done
	else
		expect_status 3 tests/e2e/memory_has.py "$SIGNER" "$seed"
	fi
	kill $RUNNER
	wait $RUNNER || true
	[ ! -e "/proc/$SIGNER" ]
}

@test "the process with the key ends with the runner, also by SIGKILL, and not by the terminal's signals" {
	begin_long_run
	kill -INT "$SIGNER" && kill -TERM "$SIGNER" && kill -HUP "$SIGNER"
	sleep 0.2
	[ -e "/proc/$SIGNER" ]
	kill -9 $RUNNER
	wait $RUNNER || true
	wait_until [ ! -e "/proc/$SIGNER" ]
}

@test "the key file may go while steps run; without the process nothing is signed" {
	cp "$WORK/sealed.pem" "$WORK/moves.pem"
	new_wait
	new_spec "$DIR/spec" "$WAIT"
	"$GLOVEBOX" run "$DIR/spec/build.yaml" --out "$DIR/moved" --key "$WORK/moves.pem" --passphrase-fd 3 3<"$WORK/pass" >"$DIR/said" 2>&1 &
	RUNNER=$!
	wait_until waits
	rm "$WORK/moves.pem"
	end_wait
	wait $RUNNER
	expect_status 0 glovebox verify "$DIR/moved" --key "$WORK/sealed.pub.pem"
	begin_long_run
	kill -9 "$SIGNER"
	end_wait
	wait $RUNNER && status=0 || status=$?
	is "$status" 125
	grep -q "has died" "$DIR/said"
	[ ! -e "$DIR/out/provenance.sigstore.json" ]
}
