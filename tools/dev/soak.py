#!/usr/bin/env python
"""Kill and resume a training repeatedly, and check that it ends with the same weights.

Each process of the run gets SIGKILL, SIGTERM, SIGUSR1 or SIGINT after a random time; the next one continues with
``--resume``. A process that was asked to stop must end with the right status. At the end the last checkpoint must be
bit-identical to that of an uninterrupted run; then a new run begins, until the time is over.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import mmpretrain.models  # noqa: F401  (imported once, so that each process trains instead of importing)
import torch

from icckd_mm.config.command_line import run
from icckd_mm.engine.exact.checkpoint_difference import checkpoint_differences
from icckd_mm.engine.exact.checkpoint_search import newest_checkpoint
from icckd_mm.engine.exact.whole_checkpoint import load_whole_checkpoint

sys.path.insert(0, str(Path(__file__).parents[1]))
import train as train_tool

CONFIG = 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py'
OPTIONS = [
    'train_cfg.max_epochs=6',
    'custom_hooks.0.loss.margin=-1.0',
    'default_hooks.checkpoint.by_epoch=False',
    'default_hooks.checkpoint.interval=3',
    'train_dataloader.dataset.indices=640',
    'train_dataloader.num_workers=1',
    'param_scheduler.T_max=6',
    'model.backbone.widths=[4,4,8,16]',
    'model.head.in_channels=16',
]
STATUS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 75, signal.SIGUSR1: 75, signal.SIGINT: 130}


def start(work_dir: Path, log: Path) -> int:
    """Start a process that begins or continues the training in ``work_dir``.

    Returns:
        int: Its process id.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            run(train_tool.main, [CONFIG, '--work-dir', str(work_dir), '--resume', '--cfg-options', *OPTIONS], resumes=True)
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            sys.stderr.flush()
            os._exit(status)
    return child


def ended(child: int, seconds: float) -> int | None:
    """Exit status of the process if it ends within ``seconds``, otherwise None."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        number, status = os.waitpid(child, os.WNOHANG)
        if number:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    return None


def disturbed(work_dir: Path, log: Path, chance: random.Random, longest: float) -> Counter:
    """Train in processes of random lifetime until the training has finished.

    Returns:
        Counter: Number of processes that each signal ended.
    """
    kills: Counter = Counter()
    while True:
        child = start(work_dir, log)
        status = ended(child, chance.uniform(0.2, longest))
        if status == 0:
            return kills
        if status is not None:
            raise SystemExit(f'the training failed by itself after {sum(kills.values())} signals; see {log}')
        signum = chance.choice(list(STATUS))
        os.kill(child, signum)
        status = ended(child, 120)
        if status == 0:  # the signal came after the last iteration
            return kills
        if status != STATUS[signum]:
            raise SystemExit(f'after {signum.name} the training ended with {status}, not {STATUS[signum]}; see {log}')
        kills[signum.name] += 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the soak.

    Args:
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.

    Returns:
        int: Signals survived.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--seed', type=int, default=0, help='seed of the kills; the training has its own')
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix='icckd_mm-soak-'))
    log, chance, kills, runs = folder / 'log.txt', random.Random(args.seed), Counter(), 0
    began = time.monotonic()
    if ended(start(folder / 'undisturbed', log), 600) != 0:
        raise SystemExit(f'the uninterrupted training failed; see {log}')
    longest = time.monotonic() - began  # lifetime of a process: a few finish, most do not
    end = began + 60 * args.minutes
    while time.monotonic() < end:
        shutil.rmtree(folder / 'killed', ignore_errors=True)
        kills += disturbed(folder / 'killed', log, chance, longest)
        runs += 1
        files = [newest_checkpoint(folder / name)[0] for name in ('undisturbed', 'killed')]
        first, second = (load_whole_checkpoint(file) for file in files if file is not None)
        differences = checkpoint_differences(first, second)
        if differences:
            raise SystemExit(
                f'run {runs}, after {dict(kills)}: {len(differences)} differences, first {differences[0]}; see {folder}'
            )
        said = ', '.join(f'{count} {name}' for name, count in sorted(kills.items()))
        print(f'{(time.monotonic() - began) / 60:5.1f} min: {runs} runs, {said or "no signal"}, no difference', flush=True)
    shutil.rmtree(folder)
    return sum(kills.values())


if __name__ == '__main__':
    main()
