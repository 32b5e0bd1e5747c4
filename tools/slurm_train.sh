#!/usr/bin/env bash
# Train on the machines that Slurm allocates, one process per GPU; see docs/distributed.md. When one process dies, srun ends the
# others and this script fails.
#
# When Slurm asks for the machines back (SIGUSR1 or SIGTERM, e.g. sbatch --requeue --signal=B:USR1@120), the training saves its
# iteration and this script requeues the job, which then continues with --resume.
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
  echo "GPUS=$gpus is not a multiple of GPUS_PER_NODE=$per_node; all machines need the same number of processes" >&2
  exit 2
fi
resources=(--ntasks="$gpus" --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-5}")
if [ -z "${CPU:-}" ]; then
  resources+=(--gres=gpu:"$per_node")
fi
flags=("${@:5}")
if ((${SLURM_RESTART_COUNT:-0} > 0)) && [[ " ${flags[*]-} " != *" --resume"[\ =]* ]]; then
  flags=(--resume ${flags[@]+"${flags[@]}"}) # a job that was requeued
fi
export MASTER_PORT=${PORT:-$((20000 + RANDOM % 10000))} # below the ports that the system itself hands out
# srun may report a process that it killed after another one ended; the training writes its exit status to this file
export ICCKD_MM_STATUS_FILE=$4/.status.${SLURM_JOB_ID:-$$}
rm -f "$ICCKD_MM_STATUS_FILE"
# shellcheck disable=SC2086 # SRUN_ARGS holds several flags
srun --partition="$1" --job-name="$2" "${resources[@]}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
  "${PYTHON:-python}" -u "$(dirname "$0")/train.py" "$3" --work-dir="$4" --launcher=slurm ${flags[@]+"${flags[@]}"} &
job=$!
trap 'asked=1; kill -USR1 $job || true' USR1 TERM # srun hands SIGUSR1 to the processes; SIGTERM would end them at once
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
  rm -f "$ICCKD_MM_STATUS_FILE"
fi
if [ "$status" = 75 ] && [ -n "${SLURM_JOB_ID:-}" ]; then
  echo "job $SLURM_JOB_ID was asked to stop and has saved its work; it is requeued" >&2
  scontrol requeue "$SLURM_JOB_ID" || echo "scontrol requeue failed; submit the job again with --resume" >&2
fi
exit "$status"
