"""Reads the log of a run up to one of its checkpoints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from icckd_mm.nested_text import parse_json
from icckd_mm.plain_text import plain

from .network import Network

NO_METRICS = ('time', 'data_time', 'step', 'memory')
TEACHER, STUDENT = 'teacher.', 'student.'


def find_log(network: Network) -> Path | None:
    """The log that the run wrote up to the checkpoint: numbers only, one JSON object per line; None if there is none."""
    written = str(network.meta.get('time', ''))
    folder = network.checkpoint.parent
    found = [log for log in folder.glob('*/vis_data/scalars.json') if log.is_file()]
    logs = sorted(log for log in found if folder.resolve() in log.resolve().parents)  # no link: its content is published
    before = [log for log in logs if not written or log.parents[1].name <= written]  # folders are named by the start of a run
    return before[-1] if before else None


def logged_metrics(network: Network) -> tuple[dict[str, float], dict[str, float]]:
    """Metrics of the validation directly after the checkpoint.

    Args:
        network: From :func:`icckd_mm.zoo.network.take_network`.

    Returns:
        Metrics of the network and of its teacher, such as ``{'accuracy/top1': 98.6}``; empty
        if nothing was logged, or if the log belongs to averaged weights and the trained ones are published, or the reverse.
    """
    log = find_log(network)
    own: dict[str, float] = {}
    teacher: dict[str, float] = {}
    if log is None or network.average is False:
        return own, teacher
    steps = (network.meta.get('epoch'), network.meta.get('iter'))
    for row in _rows(log):
        if 'lr' in row or row.get('step') not in steps:  # of training, or of another step
            continue
        for key, value in row.items():
            if key in NO_METRICS or not isinstance(value, (int, float)) or not math.isfinite(value):
                continue
            key = plain(key)
            if key.startswith(TEACHER):
                teacher[key[len(TEACHER) :]] = value
            else:
                own[key[len(STUDENT) :] if key.startswith(STUDENT) else key] = value
    return own, teacher


def _rows(log: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log; an interrupted run may have truncated the last one."""
    lines = log.read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = parse_json(line)
        except ValueError:
            if number == len(lines):
                return
            row = None
        if not isinstance(row, dict):
            text = plain(line.decode('utf-8', 'replace'), 60)
            raise ValueError(f'{log}, line {number}, is not a JSON object: {text!r}; the log is damaged, remove the line')
        yield row
