#!/usr/bin/env bash
# Installs fauxqs and the Node it needs, starts it on loopback, runs a command and ends it.
# usage: run.sh PORT COMMAND...
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../../.." && pwd)"
port="$1"
shift
# Named after what is in it, so a newer pin installs itself. Outside of here, because
# gofmt would walk into node_modules.
home="$root/.tools/fauxqs-$(sha256sum "$here/package-lock.json" | cut -c1-12)"
mkdir -p "$home"
cp "$here/package.json" "$here/package-lock.json" "$here/start.mjs" "$home/"
[ -e "$home/done" ] || { (cd "$home" && npm ci --silent --no-audit --no-fund); touch "$home/done"; }
"$home/node_modules/.bin/node" --no-warnings "$home/start.mjs" "$port" &
server=$!
export SERVER_PID="$server" # for what wants to measure it
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
	curl --silent --fail --output /dev/null "http://127.0.0.1:$port/health" && break
	kill -0 "$server" || { echo "fauxqs ended" >&2; exit 1; }
	sleep 0.1
done
"$@"
