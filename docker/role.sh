#!/usr/bin/env bash
# docker/role.sh <gateway|subgraphs|simulators> [arguments of that role]
#
# JINXIN_SETTINGS_FILE is how the simulators, which choose their ports themselves, tell the departments where they listen:
# the simulators write it, the departments read it. What a container was given in its own environment wins.
set -euo pipefail
role="${1:-}"
settings="${JINXIN_SETTINGS_FILE:-}"
case "$role" in
  gateway | subgraphs | simulators) shift ;;
  *)
    echo "the role must be gateway, subgraphs or simulators, not '$role'" >&2
    exit 64
    ;;
esac
if [ "$role" = simulators ] && [ -n "$settings" ]; then
  # Line by line, since the simulators go on writing to standard output for as long as they live.
  exec node --import tsx simulators/main.ts "$@" > >(tee >(grep --line-buffered '^JINXIN_' > "$settings"))
fi
exec node ${settings:+--env-file="$settings"} --import tsx "$role/main.ts" "$@"
