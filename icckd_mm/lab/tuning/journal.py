"""The journal of a study: a file to which several processes append, also on several machines."""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from icckd_mm.lab.tuning.search_space import Space
from icckd_mm.nested_text import parse_json
from icckd_mm.plain_text import plain

JOURNAL = 'study.journal'
OPERATIONS = range(10)  # op_codes of Optuna's journal
GRACE = 30  # seconds after which the lock of a killed process is released; an append takes milliseconds


class _Lock(JournalFileOpenLock):
    """Optuna's lock, which also removes an incomplete last line: a kill left it, and the next would be appended to it."""

    def __init__(self, path: Path, grace: int) -> None:
        super().__init__(str(path), grace)
        self.path = path

    def acquire(self) -> bool:
        taken = super().acquire()
        cut_incomplete_line(self.path)
        return taken


def open_journal(path: Path, space: Space, grace: int = GRACE) -> JournalStorage:
    """Open the journal of a study, which is made if it does not exist.

    Args:
        path: The file.
        space: The ranges that may stand in it.
        grace: Seconds after which a lock that nobody releases is taken over.

    Raises:
        ValueError: If it is damaged or not the journal of such a study.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # its lines would stand between ours
    path = path.absolute()
    try:
        if path.exists():
            _check_lines(path, {distribution_to_json(one) for one in space.values()})
        return JournalStorage(JournalFileBackend(str(path), _Lock(path, grace)))
    except OSError:
        raise
    except Exception as error:  # Optuna replays the file, and a damaged one can raise anything there
        fault = plain(str(error) or type(error).__name__, 200)
        raise ValueError(f'{path} is not the journal of a tuning: {fault}; name another --work-dir') from None


def cut_incomplete_line(path: Path) -> None:
    """Remove what stands after the last end of a line; only for the holder of the lock."""
    with open(path, 'r+b') as file:
        size = end = file.seek(0, 2)
        while end:
            begin = max(0, end - 4096)
            file.seek(begin)
            newline = file.read(end - begin).rfind(b'\n')
            if newline >= 0:
                end = begin + newline + 1
                break
            end = begin
        if end < size:
            file.truncate(end)


def _check_lines(path: Path, distributions: set[str]) -> None:
    """Refuse anything but operations of Optuna with our ranges; an incomplete last line is passed over."""
    with open(path, 'rb') as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b'\n'):
                return
            try:
                _check_operation(parse_json(line), distributions)
            except ValueError as error:
                raise ValueError(f'line {number}: {error}') from None


def _check_operation(operation: object, distributions: set[str]) -> None:
    if not isinstance(operation, dict) or type(operation.get('op_code')) is not int:
        raise ValueError('it has no op_code')
    if operation['op_code'] not in OPERATIONS or not isinstance(operation.get('worker_id'), str):
        raise ValueError(f'the operation {operation["op_code"]} is unknown, or nobody is named for it')
    several = operation.get('distributions', {})
    stated = [*(several.values() if isinstance(several, dict) else [several])]
    stated += [operation['distribution']] if 'distribution' in operation else []
    if not all(isinstance(one, str) and one in distributions for one in stated):
        raise ValueError('it has other ranges than this search')
