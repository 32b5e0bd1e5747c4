"""Finds the checkpoint from which a run resumes."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from icckd_mm.compat.own_paths import find_latest_checkpoint
from icckd_mm.engine.exact.whole_checkpoint import load_whole_checkpoint

NUMBERED = re.compile(r'(?P<series>.*?)(?P<number>\d+)\.pth')


def newest_checkpoint(work_dir: str | Path) -> tuple[Path | None, list[str]]:
    """The checkpoint with the most iterations among those that can be resumed from.

    Every file is read before it is chosen, so a truncated or damaged one is skipped. ``last_checkpoint`` is only a
    hint: it may be missing, or older than the newest file.

    Args:
        work_dir: Work dir of the run.

    Returns:
        The file, None if there is none at all, and a line for each file that was skipped.

    Raises:
        ValueError: If there are checkpoints, but all are damaged: a run that starts from scratch would overwrite them. Also if
            there is none, and ``last_checkpoint`` names one in the folder of another run.
    """
    refused: list[str] = []
    found: list[tuple[int, Path]] = []
    for files in _series(_folder(Path(work_dir))):
        for file in files:  # newest first
            try:
                found.append((_iterations(file), file))
                break
            except Exception as error:  # an older one may still be good
                refused.append(f'{file} is skipped: {error}')
    if found:
        return max(found)[1], refused
    if refused:
        raise ValueError(
            f'no checkpoint in {work_dir} can be resumed from; name one with --resume FILE, or move them away to start '
            'from scratch. ' + '; '.join(refused)
        )
    return None, []


def _folder(work_dir: Path) -> Path:
    """The work dir, or where ``CheckpointHook(out_dir=...)`` has put the files of this run."""
    named = None if any(work_dir.glob('*.pth')) else find_latest_checkpoint(str(work_dir))
    return Path(named).parent if named else work_dir


def _series(folder: Path) -> list[list[Path]]:
    """The files ``epoch_*.pth``, ``iter_*.pth`` and so on, each series from the newest to the oldest."""
    series: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for file in folder.glob('*.pth'):
        match = NUMBERED.fullmatch(file.name)
        if match and not file.name.startswith('best_'):  # the best one has no optimizer
            series[match['series']].append((int(match['number']), file))
    return [[file for _, file in sorted(files, reverse=True)] for files in series.values()]


def _iterations(file: Path) -> int:
    checkpoint: Any = load_whole_checkpoint(file)
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get('meta'), dict):
        raise ValueError('it is not a checkpoint of a training run')
    missing = {'state_dict', 'optimizer', 'message_hub'} - checkpoint.keys()
    if missing:
        raise ValueError(f'it has no {", ".join(sorted(missing))}')
    return int(checkpoint['meta']['iter'])
