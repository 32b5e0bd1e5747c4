"""Chooses the next run: parents before children, and only if a GPU has enough memory."""

from __future__ import annotations

from collections.abc import Sequence

from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.packing import GpuSlots
from icckd_mm.lab.experiment.results import Record


class RunQueue:
    """The runs of a plan that are still to do.

    Args:
        todo: Runs, parents before children.
        slots: The GPUs and their runs.
    """

    def __init__(self, todo: Sequence[Run], slots: GpuSlots) -> None:
        self.waiting = {run.name: run for run in todo}
        self.open = set(self.waiting)  # neither finished nor failed
        self.slots = slots

    def take(self, idle: Sequence[str]) -> tuple[Run, str] | None:
        """A run that can start now, and its GPU; None if all must wait."""
        for run in self.waiting.values():
            if run.parent not in self.open and (gpu := self.slots.enter(run, idle)) is not None:
                return self.waiting.pop(run.name), gpu
        return None

    def end(self, run: Run, record: Record | None) -> list[str]:
        """Record that a run has ended, with or without a result.

        Returns:
            Names of the runs that cannot start, because they depend on one that failed.
        """
        self.slots.leave(run, record)
        self.open.discard(run.name)
        lost = {run.name} if record is None else set()
        for name, child in self.waiting.items():  # parents come before children
            if child.parent in lost:
                lost.add(name)
        children = [name for name in self.waiting if name in lost]
        for name in children:
            self.open.discard(name)
            del self.waiting[name]
        return children

    def cancel(self) -> list[str]:
        """Start no further run.

        Returns:
            Names of the runs that were waiting.
        """
        names = list(self.waiting)
        self.open.difference_update(names)
        self.waiting.clear()
        return names
