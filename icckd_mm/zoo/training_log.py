"""What a run logged about the weights in one of its checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

from .network import Network

NO_METRICS = ('time', 'data_time', 'step', 'memory')
TEACHER, STUDENT = 'teacher.', 'student.'


def find_log(network: Network) -> Path | None:
    """The log that the run wrote up to the checkpoint: numbers only, one JSON object a line; None where there is none."""
    written = str(network.meta.get('time', ''))
    logs = sorted(network.checkpoint.parent.glob('*/vis_data/scalars.json'))
    before = [log for log in logs if not written or log.parents[1].name <= written]  # folders are named by the start of a run
    return before[-1] if before else None


def logged_metrics(network: Network) -> tuple[dict[str, float], dict[str, float]]:
    """Metrics of the validation right after the checkpoint was written.

    Args:
        network (Network): From :func:`icckd_mm.zoo.network.take_network`.

    Returns:
        tuple[dict[str, float], dict[str, float]]: Of the network and of its teacher, such as ``{'accuracy/top1': 98.6}``; empty
        where nothing was logged, or where the averaged weights were validated and the others are taken.
    """
    log = find_log(network)
    own: dict[str, float] = {}
    teacher: dict[str, float] = {}
    if log is None or network.average is False:
        return own, teacher
    steps = (network.meta.get('epoch'), network.meta.get('iter'))
    lines = log.read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = dict(json.loads(line))
        except (ValueError, TypeError, RecursionError):
            if number == len(lines):  # half written when the run was cut off
                break
            raise ValueError(f'{log}, line {number}, is not a JSON object; the log is damaged, remove the line') from None
        if 'lr' in row or row.get('step') not in steps:  # of training, or of another time
            continue
        for key, value in row.items():
            if key in NO_METRICS or not isinstance(value, (int, float)):
                continue
            if key.startswith(TEACHER):
                teacher[key[len(TEACHER) :]] = value
            else:
                own[key[len(STUDENT) :] if key.startswith(STUDENT) else key] = value
    return own, teacher
