"""A run or checkpoint to analyse; costly parts are read on first use."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from icckd_mm.lab.analysis.curves import LOGS, RunLog, read_log
from icckd_mm.lab.analysis.feature_space import network_space, teacher_of
from icckd_mm.lab.measures.features import FeatureSpace
from icckd_mm.plain_text import plain
from icckd_mm.zoo.network import Network, take_network


class AnalysedRun:
    """A trained classifier, or the student of a distillation, with its log.

    Args:
        path: Work dir (its last checkpoint is taken) or checkpoint.
        name: Its name in figures.
        named: Other paths given by the user, which may hold its teacher. Defaults to none.
        teacher: Checkpoint of its teacher. Defaults to the one in its config, if that is in ``named``.
    """

    def __init__(
        self, path: str | os.PathLike[str], name: str, named: Sequence[Path] = (), teacher: Path | None = None
    ) -> None:
        self.path, self.name, self.named, self.teacher = Path(path), name, named, teacher

    @cached_property
    def network(self) -> Network:
        """Config and weights; also of an unfinished run."""
        return take_network(self.path, allow_unfinished=True)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the outputs; empty where the checkpoint does not say."""
        return tuple(map(str, self.network.meta.get('dataset_meta', {}).get('classes') or ()))

    @cached_property
    def log(self) -> RunLog:
        """The logged curves; none if a checkpoint has no log in its folder."""
        folder = self.path if self.path.is_dir() else self.path.parent
        return read_log(folder) if any(folder.glob(LOGS)) else RunLog('epoch', {})

    @cached_property
    def space(self) -> FeatureSpace:
        """Features and logits of the test images."""
        return network_space(self.network)

    @cached_property
    def teacher_name(self) -> str:
        """Name of its teacher: that of the run in the path of its checkpoint; empty without one."""
        path = self.teacher or Path(self.network.config.model.get('teacher_ckpt') or '')
        return plain(path.parent.name or path.stem)

    @cached_property
    def teacher_space(self) -> FeatureSpace | None:
        """Features and logits of its teacher; None without one."""
        teacher = teacher_of(self.network, self.named, self.teacher)
        return None if teacher is None else network_space(teacher)


def named_runs(paths: Sequence[str], teacher: Path | None = None) -> list[AnalysedRun]:
    """Runs with the shortest distinct names.

    Args:
        paths: Work dirs and checkpoints.
        teacher: Checkpoint of the students' teacher. Defaults to the one in a student's config, if it
            is one of the paths or in one of them.

    Returns:
        The runs, in the same order.

    Raises:
        ValueError: If a path does not exist or is given twice.

    Example:
        >>> [run.name for run in named_runs(['tests', 'icckd_mm/lab', 'icckd_mm/lab/style.py'])]
        ['tests', 'lab', 'lab/style']
    """
    whole = [Path(path).expanduser().resolve() for path in paths]
    for path, given in zip(whole, paths):
        if not path.exists():
            raise ValueError(f'{given} does not exist; name the work dir or a checkpoint of a run')
        if whole.count(path) > 1:
            raise ValueError(f'{given} is given twice; name each run once')
    parts = [path.with_suffix('').parts if path.is_file() else path.parts for path in whole]
    names = []
    for path, own in zip(whole, parts):
        length = 2 if path.is_file() else 1
        while sum(other[-length:] == own[-length:] for other in parts) > 1 and length < len(own):
            length += 1
        names.append('/'.join(own[-length:]))
    named = [*whole, *(Path(os.path.abspath(Path(path).expanduser())) for path in paths)]
    return [AnalysedRun(path, plain(name), named, teacher) for path, name in zip(paths, names)]
