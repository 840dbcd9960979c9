#!/usr/bin/env bash
# The real client with our hook: what is denied does not run, whatever becomes of the hook's worker.
#
# Installs the client's published package into target/, then runs it in a network namespace that has
# loopback only, against a stand-in for its service. Prints SKIP and why where that cannot be done.
# REFERENCE_CLIENT names another copy of the client's program.
set -euo pipefail
cd "$(dirname "$0")/.."
VERSION=2.1.191

skip() { printf 'SKIP: the real client: %s\n' "$*"; exit 0; }

for need in python3 unshare ip; do
  command -v "$need" > /dev/null || skip "$need is not installed"
done
case "$(uname -m)" in
  x86_64) package=claude-code-linux-x64 ;;
  aarch64) package=claude-code-linux-arm64 ;;
  *) skip "the client has no package for $(uname -m)" ;;
esac
namespace=(unshare --net)
[ "$(id -u)" -eq 0 ] || namespace=(unshare --net --map-root-user)
"${namespace[@]}" ip link set lo up 2> /dev/null || skip "network namespaces are not allowed here"

home=$PWD/target/reference-client
mkdir -p "$home"
program=${REFERENCE_CLIENT:-$home/node_modules/@anthropic-ai/$package/claude}
if [ ! -x "$program" ]; then
  command -v npm > /dev/null || skip "npm is not installed"
  npm install --prefix "$home" --no-save --no-audit --no-fund --silent \
    "@anthropic-ai/$package@$VERSION" > /dev/null 2>&1 || skip "npm cannot install the client"
  [ -x "$program" ] || skip "the package holds no program"
fi

# With the faults built in; a copy, so that the next build does not replace it in the middle.
cargo build --quiet --locked -p portcullis-cli --features fault-injection
cp target/debug/portcullis "$home/portcullis"

folder=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-client-XXXXXX")
trap 'rm -rf "$folder"' EXIT
# Expansion is for the inner shell.
# shellcheck disable=SC2016
"${namespace[@]}" bash -c 'ip link set lo up && exec timeout 600 python3 "$@"' namespace \
  tests/reference-client/scenario.py "$program" "$home/portcullis" "$folder"
