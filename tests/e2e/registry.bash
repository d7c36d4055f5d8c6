# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Registries for tests: Debian's, and one that misbehaves. Beside lib.bash.

# begin_registries: for setup_file. begin_file, with nothing of the caller's that speaks to registries.
begin_registries()
{
	begin_file
	export HOME=$WORK/home
	unset DOCKER_CONFIG REGISTRY_AUTH_FILE http_proxy https_proxy no_proxy
	mkdir -p "$HOME/.docker"
}

# start_registry: Debian's, on a port of its own, $REGISTRY.
start_registry()
{
	local port
	mkdir "$WORK/registry"
	for _ in 1 2 3 4 5; do
		port=$((20000 + (RANDOM % 20000)))
		cat >"$WORK/registry.yml" <<END
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: $WORK/registry } }
http: { addr: 127.0.0.1:$port }
END
		docker-registry serve "$WORK/registry.yml" >"$WORK/registry.log" 2>&1 3>&- &
		echo $! >"$WORK/registry.pid"
		# Where the port is another's, it ends.
		if wait_until answers_or_ended $port "$WORK/registry.pid" && kill -0 "$(cat "$WORK/registry.pid")"; then
			export REGISTRY=127.0.0.1:$port
			return
		fi
	done
	return 1
}
# end_registry: for teardown_file.
end_registry() { kill "$(cat "$WORK/registry.pid")"; }
answers_or_ended() { answers "$1" || ! kill -0 "$(cat "$2")" 2>/dev/null; }
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# fake SETTINGS: a registry that misbehaves, $FAKE; what it was asked is in $DIR/log.
fake()
{
	tests/e2e/fake_registry.py "$1" "$DIR/log" >"$DIR/ports" 3>&- &
	FAKE_PID=$!
	wait_until [ -s "$DIR/ports" ]
	read -r port _ <"$DIR/ports"
	export FAKE=127.0.0.1:$port
}
# end_fake: for teardown.
end_fake()
{
	if [ -n "${FAKE_PID:-}" ]; then
		kill "$FAKE_PID"
		wait "$FAKE_PID" 2>/dev/null || true
		FAKE_PID=
	fi
}
# asked FILTER: what jq makes of the list of requests.
asked() { jq -sr "$1" "$DIR/log"; }

skopeo() { command skopeo --tmpdir "$WORK" "$@"; }
