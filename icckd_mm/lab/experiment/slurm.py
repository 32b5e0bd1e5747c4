"""A plan as Slurm array jobs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.lab.experiment.graph import Run, levels

LONGEST = 1000  # tasks per array; MaxArraySize is 1001 by default

ARRAY = """#!/bin/bash
# One run of the plan: the line of the task list for this element of the array. On a request to stop it saves its
# iteration and is requeued.
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
set -euo pipefail
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
cd {root}
run=$(sed -n "${{SLURM_ARRAY_TASK_ID}}p" "$1")
{python} -m icckd_mm experiment {plan} --work-dir {folder} --only "$run" --resume &
job=$!
trap 'kill -USR1 $job || true' USR1 TERM
status=0
wait $job || status=$?
if ((status > 128)); then # a signal has ended the wait
  status=0
  wait $job || status=$?
fi
if [ "$status" = 75 ] && [ -n "${{SLURM_JOB_ID:-}}" ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
"""
COLLECT = """#!/bin/bash
# After all arrays: writes results.jsonl and the report.
#SBATCH --cpus-per-task=1
set -euo pipefail
cd {root}
exec {python} -m icckd_mm experiment {plan} --work-dir {folder} --collect
"""
SUBMIT_HEAD = """#!/bin/bash
# Submits the plan; arguments go to sbatch, e.g. bash submit.sh --partition=gpu --gres=gpu:1 --output=%x_%A_%a.log
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
previous=
"""


def write_slurm(runs: list[Run], plan: str, folder: str | Path) -> Path:
    """Write ``slurm/`` in the work dir: task lists, the array job, the job that collects, and ``submit.sh``.

    Args:
        runs: The runs still to do, parents before children.
        plan: Path of the plan.
        folder: Work dir of the study, on a disk shared by all nodes.

    Returns:
        ``submit.sh``. Teachers come first, then runs that start from them; each level waits for the one before.
    """
    folder = Path(folder).resolve()
    target = folder / 'slurm'
    names = {'root': Path.cwd(), 'python': sys.executable, 'plan': Path(plan).resolve(), 'folder': folder}
    quoted = {key: shlex.quote(str(value)) for key, value in names.items()}
    submit = SUBMIT_HEAD
    for number, level in enumerate(levels(runs), 1):
        submit += 'jobs=\n'
        for part, first in enumerate(range(0, len(level), LONGEST), 1):
            tasks = level[first : first + LONGEST]
            name = f'tasks_{number}_{part}.txt'
            write_atomically(target / name, ''.join(f'{run.name}\n' for run in tasks).encode())
            submit += (
                f'job=$(sbatch --parsable "$@" ${{previous:+--dependency=afterany$previous}} --array=1-{len(tasks)} '
                f'array.sh "$PWD/{name}")\njobs=$jobs:${{job%%;*}}\n'
            )
        submit += 'previous=$jobs\n'
    submit += 'sbatch "$@" ${previous:+--dependency=afterany$previous} collect.sh\n'
    for name, text in (('array.sh', ARRAY.format(**quoted)), ('collect.sh', COLLECT.format(**quoted)), ('submit.sh', submit)):
        write_atomically(target / name, text.encode())
    return target / 'submit.sh'
