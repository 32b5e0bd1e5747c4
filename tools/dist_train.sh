#!/usr/bin/env bash
# Train on several processes of this machine, or of several machines; see docs/distributed.md. Without a GPU the processes
# communicate through gloo, else through NCCL. When one process dies, torchrun ends the others and this script fails. On a request
# to stop (SIGTERM, SIGUSR1, Ctrl-C), the training saves its iteration and this script ends with 75, after Ctrl-C with 130.
#
# From the environment: NNODES (1), NODE_RANK (0), MASTER_ADDR and PORT (29500), the same address and port on all machines;
# on one machine neither is needed, and without PORT a free one is taken. PYTHON (python); TOOL (train.py), which dist_test.sh sets.
set -euo pipefail
if [ $# -lt 2 ] || ! [[ $2 =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: $0 CONFIG PROCESSES [flags of train.py]   (PROCESSES of this machine: the number of its GPUs)" >&2
  exit 2
fi
if [ "${NNODES:-1}" != 1 ] && [ -z "${MASTER_ADDR:-}" ]; then
  echo "NNODES=$NNODES needs MASTER_ADDR, the address of the machine with NODE_RANK=0, the same on all machines" >&2
  exit 2
fi
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
  meet=(--standalone)
else
  meet=(--nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}"
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
fi
# torchrun returns 1 for every failure; the training writes its exit status to this file
ICCKD_MM_STATUS_FILE=$(mktemp)
export ICCKD_MM_STATUS_FILE
"${PYTHON:-python}" -m torch.distributed.run "${meet[@]}" --nproc_per_node="$2" \
  "$(dirname "$0")/${TOOL:-train.py}" "$1" --launcher pytorch "${@:3}" &
job=$!
trap 'asked=1; kill -TERM $job || true' USR1 TERM # torchrun hands SIGTERM to its processes and gives them 30 seconds
trap 'asked=1; kill -INT $job || true' INT
while true; do
  asked= status=0
  wait $job || status=$?
  if [ -z "$asked" ] || ((status <= 128)); then
    break # not a signal to this script has ended the wait
  fi
done
if [ -s "$ICCKD_MM_STATUS_FILE" ]; then
  status=$(head -c 3 "$ICCKD_MM_STATUS_FILE")
fi
rm -f "$ICCKD_MM_STATUS_FILE"
exit "$status"
