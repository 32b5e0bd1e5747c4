"""The tests marked ``gpu``, one after another, as long as there is time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from benchmarks.gpu.record import TAIL, Record, Stage

QUIET = ('-q', '-p', 'no:cacheprovider', '-o', 'addopts=--strict-markers')
NOT_ERRORS = ('-o', 'filterwarnings=default')  # other versions warn of other things, and pytest-timeout may be missing
ORDER = (
    'test_step',
    'test_numbers',
    'test_runs',
    'test_students',
)  # of worth; a compilation may take a minute, so it comes last


def run(stage: Stage, record: Record) -> None:
    """Run the tests.

    Raises:
        RuntimeError: If pytest finds none, or cannot run.
    """
    status = pytest.main(
        [*QUIET, *NOT_ERRORS, '-m', 'gpu', '--device', stage.device, 'tests/gpu'], plugins=[_Recorder(stage, record)]
    )
    nothing_left = status == pytest.ExitCode.NO_TESTS_COLLECTED and record.items
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not nothing_left:
        raise RuntimeError(f'pytest ends with status {int(status)}; see log.txt')


class _Recorder:
    """A plugin of pytest that records each test before the next begins."""

    def __init__(self, stage: Stage, record: Record) -> None:
        self.stage, self.record = stage, record

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out what an earlier call has finished, and sort the others by worth."""
        items[:] = [item for item in items if not self.record.is_done(_name(item.nodeid))]
        items.sort(key=lambda item: ('compiled' in item.name, ORDER.index(item.path.stem)))

    def pytest_runtest_setup(self, item: Any) -> None:
        """Leave out what there is no time for."""
        if time.perf_counter() > self.stage.until:
            self.record.put(_name(item.nodeid), 'no time')
            pytest.skip('no time left')
        self.record.put(_name(item.nodeid), 'running')

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Record the outcome of a test."""
        name = _name(report.nodeid)
        if self.record.items.get(name, {}).get('outcome') == 'no time' or (report.when != 'call' and report.passed):
            return
        values: dict[str, Any] = {'seconds': round(report.duration, 2)}
        if report.failed:
            values.update(error=str(getattr(report.longrepr, 'reprcrash', report.longrepr))[:500])
            values.update(traceback=report.longreprtext.splitlines()[-TAIL:])
        elif report.skipped:
            values.update(reason=str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr))
        self.record.put(name, report.outcome, **values)


def _name(nodeid: str) -> str:
    return nodeid.removeprefix('tests/gpu/')
