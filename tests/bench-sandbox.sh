#!/bin/sh
# Prints what the sandbox costs, beside a plain start, bubblewrap and srt where they are installed.
# Numbers of one machine in one run: compare lines, not tables.
# usage: tests/bench-sandbox.sh [ROUNDS]
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-100}
if ! command -v bwrap >/dev/null; then
    echo "SKIP bwrap: it is not installed (apt-get install bubblewrap)"
fi
SRT=$(command -v srt || echo target/srt/node_modules/.bin/srt)
if [ -x "$SRT" ]; then
    SRT=$(realpath -s "$SRT")
    export SRT
else
    echo "SKIP srt: it is not installed (npm install --prefix target/srt @anthropic-ai/sandbox-runtime)"
    unset SRT
fi
# The binary as it is shipped: one file that needs no library.
cargo static --quiet --locked
PORTCULLIS=$PWD/target/x86_64-unknown-linux-gnu/release/portcullis
export PORTCULLIS
PORTCULLIS_CASES=$rounds cargo bench --quiet --locked -p portcullis-sandbox --bench start
cargo bench --quiet --locked -p portcullis-sandbox --bench supervisor
echo "the binary"
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$PORTCULLIS"
printf '%-34s%10s bytes stripped, static\n' "portcullis" "$(stat -c %s "$stripped")"
