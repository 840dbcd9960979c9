#!/usr/bin/env bash
# The proxy side by side with squid and tinyproxy from the distribution, a bare relay and no proxy at all.
# All in one run, so that the rows can be compared; what is not installed is skipped and said so.
# Medians of ROUNDS rounds, each of which measures everything in turn.
# Usage: tests/bench-proxy.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-7}
cargo build --quiet --release --locked -j2 -p portcullis-cli --bin portcullis
cargo build --quiet --release --locked -j2 -p portcullis-proxy --example load
load=target/release/examples/load
place=$(mktemp -d)
running=()
closing() {
  [ "${#running[@]}" -eq 0 ] || kill "${running[@]}" 2> /dev/null || true
  rm -rf -- "$place"
}
trap closing EXIT
ulimit -n "$(ulimit -Hn)"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
names=() addresses=() processes=()
add() { names+=("$1"); addresses+=("$2"); processes+=("$3"); running+=("$3"); }

target/release/portcullis --json proxy --no-auth --allow 127.0.0.1 > "$place/portcullis" & pid=$!
sleep 1
add portcullis "$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$place/portcullis")" "$pid"

"$load" relay > "$place/relay" & pid=$!
sleep 1
add "bare relay" "$(cat "$place/relay")" "$pid"

if squid=$(command -v squid); then
  port=$(free_port)
  mkdir "$place/squid" && chmod 777 "$place" "$place/squid"
  cat > "$place/squid.conf" << CONF
http_port 127.0.0.1:$port
acl here src 127.0.0.1
http_access allow here
cache deny all
access_log none
cache_log $place/squid/cache.log
pid_filename $place/squid/pid
coredump_dir $place/squid
shutdown_lifetime 0 seconds
CONF
  "$squid" -N -f "$place/squid.conf" > "$place/squid.out" 2>&1 & pid=$!
  sleep 3
  add squid "127.0.0.1:$port" "$pid"
else
  echo "SKIP squid: not installed (apt-get install squid)"
fi

if tinyproxy=$(command -v tinyproxy); then
  port=$(free_port)
  cat > "$place/tinyproxy.conf" << CONF
Port $port
Listen 127.0.0.1
MaxClients 4096
Timeout 600
LogLevel Critical
CONF
  "$tinyproxy" -d -c "$place/tinyproxy.conf" > /dev/null 2>&1 & pid=$!
  sleep 1
  add tinyproxy "127.0.0.1:$port" "$pid"
else
  echo "SKIP tinyproxy: not installed (apt-get install tinyproxy)"
fi

compared=()
for index in "${!names[@]}"; do
  compared+=("${names[$index]}" "${addresses[$index]}" "${processes[$index]}")
done
"$load" compare "$rounds" "${compared[@]}"
