"""Settings of a tuning, and the configs of its trials."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.plan import FACTORS
from icckd_mm.lab.experiment.recipe import Recipe
from icckd_mm.lab.tuning.budget import deepest_level, length
from icckd_mm.lab.tuning.candidate import Candidate, Values
from icckd_mm.lab.tuning.held_out import contrast_hook, held_out_config, part_sizes

METHOD, CHECKPOINT = 'tuned', 'model.teacher_ckpt'


@dataclass(frozen=True)
class Setting:
    """Settings that determine the trials.

    Attributes:
        folder: Work dir.
        configs: Paths of the trials' configs by stage and level.
        texts: Their content by path.
        epochs: Epochs of the full runs by stage.
        deepest: Level of the shortest runs.
        loss: Dotted key of the loss in the teacher's config.
        default: Its values there.
        seed: Seed of the search, and the first one of the runs.
        most: Maximum numbers of candidates without the control, and of seeds in the finals.
    """

    folder: Path
    configs: dict[tuple[str, int], str]
    texts: dict[str, str]
    epochs: dict[str, int]
    deepest: int
    loss: str
    default: Values
    seed: int
    most: tuple[int, int]

    def candidate_folder(self, number: int) -> Path:
        """Folder of the runs of a candidate."""
        return self.folder / 'runs' / f'candidate{number:02d}'

    def pair_folder(self, number: int, level: int, seed: int) -> Path:
        """Folder of a teacher and its student."""
        return self.candidate_folder(number) / f'level{level}_seed{seed:02d}'

    def pair(self, candidate: Candidate, level: int, seed: int) -> tuple[Run, Run]:
        """Teacher and student of a candidate."""
        options = {f'{self.loss}.{name}': value for name, value in candidate.values.items()}
        name = f'candidate{candidate.number:02d}_level{level}_seed{seed:02d}'
        epochs = {stage: length(self.epochs[stage], level) for stage in self.epochs}
        first = Recipe('teacher', METHOD, candidate.values, self.configs['teacher', level], options)
        teacher = Run(f'teacher_{name}', first, seed, epochs['teacher'])
        second = Recipe('student', METHOD, candidate.values, self.configs['student', level], {}, first, CHECKPOINT)
        return teacher, Run(f'student_{name}', second, seed, epochs['student'], teacher.name)

    def write_configs(self) -> None:
        """Write the configs of the trials."""
        for file, text in self.texts.items():
            write_atomically(file, text.encode())

    def digest(self) -> str:
        """Digest of everything that determines a trial, except the code; independent of where the work dir is mounted."""
        texts = sorted((Path(path).name, text) for path, text in self.texts.items())
        decides = (texts, self.loss, self.default, self.seed, self.most)
        return hashlib.blake2b(repr(decides).encode(), digest_size=8).hexdigest()


def make_setting(
    configs: Mapping[str, Config], folder: Path, held_out: float, seed: int, most: tuple[int, int]
) -> tuple[Setting, tuple[int, int]]:
    """Make the configs of the trials, and count the images of both parts of the training set.

    Args:
        configs: Complete configs of ``teacher`` and ``student``.
        folder: Work dir.
        held_out: Share of the training set that is held out.
        seed: Seed of the split, the search and the first runs.
        most: See :class:`Setting`.

    Returns:
        The setting, and the numbers of training and held-out images.

    Raises:
        ValueError: If the configs cannot be split, or the data set is too small.
    """
    epochs = {stage: cfg.train_cfg.max_epochs for stage, cfg in configs.items()}
    deepest = min(map(deepest_level, epochs.values()))
    made = {
        (stage, level): held_out_config(cfg, held_out, seed, length(epochs[stage], level))
        for stage, cfg in configs.items()
        for level in range(deepest + 1)
    }
    images = part_sizes(made['student', deepest])
    index, hook = contrast_hook(configs['teacher'])
    default = {name: float(hook.loss.get(name, FACTORS[name])) for name in ('loss_weight', 'margin', 'temperature')}
    default['loss_weight'] = default['loss_weight'] or FACTORS['loss_weight']  # a config of the control itself
    files = {key: folder / 'configs' / f'{key[0]}_{cfg.train_cfg.max_epochs}e.py' for key, cfg in made.items()}
    setting = Setting(
        folder=folder,
        configs={key: str(file) for key, file in files.items()},
        texts={str(file): made[key].pretty_text for key, file in files.items()},
        epochs=epochs,
        deepest=deepest,
        loss=f'custom_hooks.{index}.loss',
        default=default,
        seed=seed,
        most=most,
    )
    return setting, images
