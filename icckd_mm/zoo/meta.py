"""Reads and checks a checkpoint's information on its run, which is used in file names and model cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icckd_mm.plain_text import is_file_name, is_one_line, plain

NUMBERS, TEXTS = ('epoch', 'iter', 'seed'), ('mmengine_version', 'experiment_name')
CLASSES, MOST_CLASSES, MOST_NUMBER, LARGEST_METRIC = 'classes', 1_000_000, 2**63, 1e9
LONGEST_CLASS = 255  # characters of a folder's name


def checked_meta(meta: Mapping[Any, Any]) -> dict[str, Any]:
    """Epoch, iteration, seed, time, versions, name and class names of a checkpoint; invalid values are dropped.

    Args:
        meta: ``meta`` of a checkpoint, of any content.

    Returns:
        ``epoch``, ``iter`` and ``seed`` as integers, ``time`` as ``YYYYMMDD_HHMMSS``, ``mmengine_version`` and
        ``experiment_name`` on one line, and ``dataset_meta`` with its class names only.
    """
    found: dict[str, Any] = {}
    for key in NUMBERS:
        if type(meta.get(key)) is int and 0 <= meta[key] < MOST_NUMBER:
            found[key] = meta[key]
    for key in TEXTS:
        if isinstance(meta.get(key), str):
            found[key] = plain(meta[key])
    if isinstance(meta.get('time'), str) and re.fullmatch(r'[0-9]{8}_[0-9]{6}', meta['time']):
        found['time'] = meta['time']
    dataset = meta.get('dataset_meta')
    classes = dataset.get(CLASSES) if isinstance(dataset, Mapping) else None
    if isinstance(classes, (list, tuple)) and len(classes) <= MOST_CLASSES:
        found['dataset_meta'] = {CLASSES: type(classes)(map(_class_name, classes))}
    return found


def _class_name(given: Any) -> str:
    """The name as the data set has it, with its spaces, since both are compared; without what could not be printed."""
    if isinstance(given, str) and len(given) <= LONGEST_CLASS and is_one_line(given):
        return given
    return plain(given) if isinstance(given, (str, int)) else ''


def mmengine_of(meta: Mapping[str, Any]) -> str:
    """Version of mmengine in a run.

    mmengine appends the commit of the repository in which the run was started, without a gap. It is left out, since it says
    nothing about mmengine.

    Example:
        >>> mmengine_of({'mmengine_version': '0.10.7' + 40 * 'a'}), mmengine_of({'mmengine_version': '0.10.7unknown'})
        ('0.10.7', '0.10.7')
    """
    joined = str(meta.get('mmengine_version', 'unknown'))
    found = re.fullmatch(r'(.*?[0-9.])(unknown|[0-9a-f]{40})', joined)
    return found[1] if found else joined


def run_name(meta: Mapping[str, Any]) -> str:
    """Name of the config of a run, or of the run of a plan: its ``experiment_name`` without dates and times.

    Example:
        >>> run_name({'experiment_name': 'icc_resnet20_1xb64_digits_20260101_120000'}), run_name({})
        ('icc_resnet20_1xb64_digits', 'unknown')
        >>> run_name({'experiment_name': 'teacher_ce_seed00_bde467b55974_1795773681852609687_20260101_120000'})
        'teacher_ce_seed00_bde467b55974'
    """
    name = str(meta.get('experiment_name', 'unknown')).rsplit('_', 2)[0]
    return re.sub(r'_[0-9]{19}$', '', name)  # nanoseconds, which a plan adds


def file_name(meta: Mapping[str, Any], where: Path) -> str:
    """The name of a run if it is a valid file name.

    Raises:
        ValueError: If it is not.
    """
    name = run_name({'experiment_name': 'model', **meta})
    if not is_file_name(name):
        raise ValueError(f'{where} calls its run {name!r}, which is not a valid file name; set --name')
    return name
