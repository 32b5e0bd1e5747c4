"""Reads the log of a run as curves over its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from icckd_mm.nested_text import parse_json
from icckd_mm.regular_file import read_regular

Points = tuple[np.ndarray, np.ndarray]
LOGS = '*/vis_data/scalars.json'
NOT_CURVES = ('step', 'iter', 'epoch')


@dataclass
class RunLog:
    """The scalars of a run.

    Attributes:
        unit: Unit of the times, ``'epoch'`` or ``'iteration'``.
        curves: Times and values by key.
    """

    unit: str
    curves: dict[str, Points]

    def first(self, keys: Sequence[str]) -> Points | None:
        """The curve of the first of these keys that was logged."""
        return next((self.curves[key] for key in keys if key in self.curves), None)


def read_log(run: Path | str) -> RunLog:
    """Read ``*/vis_data/scalars.json`` of a work dir.

    Each start of a run writes a separate log. The log of a resumed run continues the previous one from where it was resumed.
    A log that begins in the first epoch is a new run; earlier logs are ignored.

    Args:
        run: The work dir.

    Returns:
        The curves. Times are epochs if the run logged them; the length of an epoch is the largest number of iterations seen.

    Raises:
        ValueError: If nothing was logged, or a line is not JSON.
    """
    train: list[dict[str, Any]] = []
    val: list[dict[str, Any]] = []
    for file in sorted(Path(run).glob(LOGS), reverse=True):
        rows = _rows(file)
        if not rows:
            continue
        train = _until([row for row in rows if 'lr' in row], train)
        val = _until([row for row in rows if 'lr' not in row], val)
        if rows[0].get('epoch') == 1:
            break
    if not train and not val:
        raise ValueError(f'{run} has no scalars in {LOGS}; name the work dir of a run that has logged')
    epochs = all('epoch' in row for row in train)
    length = max((row['iter'] / row['epoch'] for row in train), default=1.0) if epochs else 1.0
    return RunLog('epoch' if epochs else 'iteration', {**_curves(train, length), **_curves(val, 1.0)})


def _rows(file: Path) -> list[dict[str, Any]]:
    lines = read_regular(file).decode('utf-8').splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(parse_json(line))
        except ValueError:
            if number < len(lines):  # the last one may be incomplete
                raise ValueError(
                    f'{file}, line {number} is not JSON: {line[:60]!r}; the log is damaged, remove the line'
                ) from None
    return rows


def _until(rows: list[dict[str, Any]], later: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a log, followed by those of the run that was resumed from it."""
    return [row for row in rows if not later or row['step'] < later[0]['step']] + later


def _curves(rows: list[dict[str, Any]], length: float) -> dict[str, Points]:
    keys = dict.fromkeys(key for row in rows for key in row if key not in NOT_CURVES)
    points = {key: [(row['step'] / length, row[key]) for row in rows if key in row] for key in keys}
    return {key: (np.array([t for t, _ in pairs]), np.array([v for _, v in pairs])) for key, pairs in points.items()}
