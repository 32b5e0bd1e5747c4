"""The results of a tuning, read from the folders of its runs, which all its processes share."""

from __future__ import annotations

import contextlib
from pathlib import Path

from icckd_mm.lab.experiment.results import Record, read_record
from icckd_mm.lab.experiment.train_run import RESULT
from icckd_mm.lab.tuning.budget import ETA, covered_seconds
from icckd_mm.lab.tuning.candidate import Candidate
from icckd_mm.lab.tuning.setting import Setting

STAGES = ('teacher', 'student')


class Results:
    """Records of finished runs.

    Args:
        setting: The settings.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.known: dict[Path, tuple[int, Record]] = {}  # with their level

    def record(self, candidate: Candidate, level: int, seed: int, stage: str) -> Record | None:
        """The record of a run, None if it has not finished.

        Raises:
            ValueError: If the file does not hold the record of this run.
        """
        path = self.setting.pair_folder(candidate.number, level, seed) / stage / RESULT
        if path not in self.known:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                record = checked(path)
                run = self.setting.pair(candidate, level, seed)[STAGES.index(stage)]
                if record['run'] != run.name or record.get('factors') != candidate.values:
                    raise ValueError(f'{path} is the result of another run than {run.name}; name another --work-dir')
                self.known[path] = (level, record)
        return self.known[path][1] if path in self.known else None

    def accuracy(self, candidate: Candidate, level: int, seed: int) -> float | None:
        """Accuracy of a student in percent on the held-out images, None if it has not finished."""
        record = self.record(candidate, level, seed, 'student')
        return None if record is None else record['last_accuracy']

    def pair_seconds(self) -> float:
        """Mean seconds of a pair at the shortest length; longer pairs are scaled."""
        setting = self.setting
        if not self.known:  # the control has the first pair of all
            self.record(Candidate.control(setting.default), setting.deepest, setting.seed, 'student')
        timed = [(level, record['time']) for level, record in self.known.values()]
        seconds: dict[int, list[float]] = {}
        for level, spent in [one for one in timed if not one[1].get('resumed')] or timed:
            seconds.setdefault(level, []).append(spent['wall_s'])
        longest = min(seconds)  # start-up has the smallest share of their times
        return 2 * sum(seconds[longest]) / len(seconds[longest]) / ETA ** (setting.deepest - longest)

    def spent(self) -> float:
        """Seconds in which at least one process was at a run that has finished; a run ends when its result is written."""
        spans = []
        for path in (self.setting.folder / 'runs').glob(f'*/*/*/{RESULT}'):
            end = path.stat().st_mtime
            spans.append((end - checked(path)['time']['wall_s'], end))
        return covered_seconds(spans)


def checked(path: Path) -> Record:
    """The record in a file.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is not the record of a trial.
    """
    record = read_record(path)
    numbers = (record.get('last_accuracy'), record.get('time', {}).get('wall_s'))
    if not all(type(number) in (int, float) and 0 <= number < limit for number, limit in zip(numbers, (100.01, 1e9))):
        raise ValueError(f'{path} is not the record of a trial: it lacks an accuracy or a time; remove it to run it again')
    return record
