"""The file of a stage, complete after each of its checks."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icckd_mm.engine.exact.atomic_backend import write_atomically

TAIL = 12  # lines of a traceback
Item = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """What a stage is given.

    Attributes:
        name: Its name.
        out: Folder of the files.
        device: ``'cuda'`` or ``'cpu'``.
        quick: Small sizes, to check that it works.
        until: When it should end, by ``time.perf_counter()``.
        data: Archive of images for the study; None for the digits.
    """

    name: str
    out: Path
    device: str
    quick: bool
    until: float
    data: Path | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds until it should end."""
        return self.until - time.perf_counter()


class Record:
    """The checks of a stage by name, kept in a file.

    Args:
        path: The file. What an earlier call has finished there is kept.
        facts: About the stage; if an earlier file has others, it is not used.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self.facts, self.status = path, facts, 'running'
        earlier = read_record(path)
        same = all(earlier.get(name) == value for name, value in facts.items())
        self.items: dict[str, Item] = earlier['items'] if same else {}
        known = {*facts, 'status', 'items'}
        self.more = {key: value for key, value in earlier.items() if key not in known} if same else {}

    def is_done(self, name: str) -> bool:
        """Whether a check has a good outcome already."""
        return self.items.get(name, {}).get('outcome') in ('passed', 'skipped')

    def put(self, name: str, outcome: str, **values: Any) -> None:
        """Write the outcome of a check: ``'running'``, ``'passed'``, ``'skipped'``, ``'failed'`` or ``'no time'``."""
        self.items[name] = {'outcome': outcome, **values}
        self.save()

    def run(self, name: str, work: Callable[[], Item], until: float) -> None:
        """Do a check unless it is done or the time is up; an error is recorded with the end of its traceback."""
        if self.is_done(name):
            return
        if time.perf_counter() > until:
            self.put(name, 'no time')
            return
        self.put(name, 'running')
        begin = time.perf_counter()
        try:
            values = work()
        except Exception as error:
            self.put(name, 'failed', seconds=round(time.perf_counter() - begin, 1), **described(error))
        else:
            self.put(name, 'passed', seconds=round(time.perf_counter() - begin, 1), **values)

    def finish(self) -> None:
        """Say whether all checks were done."""
        self.status = 'cut' if any(item['outcome'] in ('running', 'no time') for item in self.items.values()) else 'finished'
        self.save()

    def save(self) -> None:
        """Write the file."""
        content = {**self.facts, 'status': self.status, **self.more, 'items': self.items}
        write_atomically(self.path, (json.dumps(content, indent=1) + '\n').encode())


def read_record(path: Path) -> dict[str, Any]:
    """The content of a stage's file; empty items if there is none or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        content = {}
    sound = isinstance(content, dict) and isinstance(content.get('items'), dict)
    return content if sound else {'items': {}}


def described(error: BaseException) -> Item:
    """An error in one line, and the end of its traceback."""
    lines = ''.join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
    return {'error': f'{type(error).__name__}: {error}'[:500], 'traceback': lines[-TAIL:]}
