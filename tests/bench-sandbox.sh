#!/bin/sh
# Prints what the sandbox costs, beside a plain start, bubblewrap and srt where they are installed.
# Numbers of one machine in one run: compare columns, not tables.
set -eu
cd "$(dirname "$0")/.."
if ! command -v bwrap >/dev/null; then
    echo "bwrap is not installed (apt-get install bubblewrap): its rows are left out" >&2
fi
if ! command -v srt >/dev/null; then
    echo "srt is not installed (npm install -g @anthropic-ai/sandbox-runtime): its row is left out" >&2
fi
cargo bench -q -p portcullis-sandbox --bench start
cargo bench -q -p portcullis-sandbox --bench supervisor
