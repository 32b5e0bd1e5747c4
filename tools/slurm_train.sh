#!/usr/bin/env bash
# Train on the machines that Slurm gives, one process a GPU; docs/distributed.md explains. When one process dies, srun ends the
# others and this script fails.
#
# From the environment: GPUS in all (8) and GPUS_PER_NODE (8, or GPUS where that is less); CPUS_PER_TASK (5) feed the data
# loader's workers; SRUN_ARGS are further flags of srun; PORT, else one is drawn, so that two jobs do not meet. CPU=1 asks for no
# GPU: GPUS then counts processes. PYTHON (python).
set -euo pipefail
if [ $# -lt 4 ]; then
  echo "usage: [GPUS=8 GPUS_PER_NODE=8] $0 PARTITION JOB_NAME CONFIG WORK_DIR [flags of train.py]" >&2
  exit 2
fi
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-8}
if [[ ${GPUS_PER_NODE:-}$gpus =~ ^[1-7]$ ]]; then # less than a machine
  per_node=$gpus
fi
if ! [[ $gpus$per_node =~ ^[0-9]+$ ]] || ((gpus < 1 || per_node < 1 || gpus % per_node)); then
  echo "GPUS=$gpus is no multiple of GPUS_PER_NODE=$per_node; all machines need the same number of processes" >&2
  exit 2
fi
resources=(--ntasks="$gpus" --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-5}")
if [ -z "${CPU:-}" ]; then
  resources+=(--gres=gpu:"$per_node")
fi
export MASTER_PORT=${PORT:-$((20000 + RANDOM % 10000))} # below the ports that the system itself hands out
# shellcheck disable=SC2086 # SRUN_ARGS holds several flags
exec srun --partition="$1" --job-name="$2" "${resources[@]}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
  "${PYTHON:-python}" -u "$(dirname "$0")/train.py" "$3" --work-dir="$4" --launcher=slurm "${@:5}"
