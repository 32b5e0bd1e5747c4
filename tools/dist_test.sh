#!/usr/bin/env bash
# Test a checkpoint on several processes; everything else is as in dist_train.sh.
set -euo pipefail
if [ $# -lt 3 ]; then
  echo "usage: $0 CONFIG CHECKPOINT PROCESSES [flags of test.py]" >&2
  exit 2
fi
TOOL=test.py exec bash "$(dirname "$0")/dist_train.sh" "$1" "$3" "$2" "${@:4}"
