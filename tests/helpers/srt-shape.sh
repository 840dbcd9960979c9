#!/bin/sh
# A sandbox in the shape many tools share: bubblewrap, a read-only machine, a writable project, masks
# over what exists when it starts. It shows that the probes bite:
# `cases escapes --with …/srt-shape.sh FILE` counts what gets out of it.
set -eu
exec bwrap --die-with-parent --unshare-net --unshare-pid --unshare-user --unshare-ipc --cap-drop ALL \
  --ro-bind / / --bind "$PC_PROJ" "$PC_PROJ" --bind "$PC_OUT" "$PC_OUT" --bind "$PC_CTL" "$PC_CTL" \
  --dev /dev --proc /proc --unsetenv PC_TOKEN \
  --ro-bind "$PC_PROJ/.git/hooks" "$PC_PROJ/.git/hooks" \
  --ro-bind "$PC_PROJ/.git/config" "$PC_PROJ/.git/config" \
  --tmpfs "$PC_HOME/.ssh" --tmpfs "$PC_HOME/deny" --tmpfs "$PC_PROJ/secrets" \
  --ro-bind /dev/null "$PC_PROJ/.env" --ro-bind /dev/null "$PC_PROJ/sub/deep/.env" \
  -- "$@"
