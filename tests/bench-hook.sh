#!/usr/bin/env bash
# How much a cold hook call costs beside a bare process: medians and spread, in milliseconds.
# usage: tests/bench-hook.sh [PAIRS]
#
# Both are started in turn by the same small program, which times from spawn to exit, so that what
# the machine does meanwhile hits both alike.
set -euo pipefail
cd "$(dirname "$0")/.."
pairs=${1:-300}
# The binary as it is shipped: one file that needs no library.
cargo static --quiet --locked
cargo build --quiet --release --locked -p portcullis-tests --bin spawn-times

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/home/.claude" "$folder/project/.claude"
cat > "$folder/project/.claude/settings.json" <<'JSON'
{"permissions":{"allow":["Bash(npm run *)","Edit(src/**)"],"ask":["Bash(git push *)"],"deny":["Bash(curl *)","Read(.env)"]}}
JSON
cat > "$folder/call.json" <<JSON
{"session_id":"s","transcript_path":"/dev/null","cwd":"$folder/project","permission_mode":"default","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"cd src && timeout 30 npm run build -- --watch=false > out.log 2>&1","description":"build"},"tool_use_id":"t"}
JSON
HOME=$folder/home target/release/spawn-times "$pairs" "$folder/call.json" \
  /bin/true -- target/x86_64-unknown-linux-gnu/release/portcullis hook --host claude-code --event PreToolUse
