#!/usr/bin/env bash
# Train on several processes of this machine, or of several: dist_train.sh CONFIG PROCESSES [flags of train.py]
# NNODES, NODE_RANK, MASTER_ADDR and PORT are read from the environment. Without a GPU the processes talk through gloo.
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 CONFIG PROCESSES [flags of train.py]" >&2
  exit 2
fi
config=$1
processes=$2
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$processes" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  "$(dirname "$0")/train.py" "$config" --launcher pytorch "${@:3}"
