"""Any teacher, any student, any mix, any images: configs that run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmengine.config import Config

from icckd_mm.compose.assembly import all_parts, build_network, inspect_built, pair_of
from icckd_mm.compose.check import check_written
from icckd_mm.compose.files import Setting, files_of, plan_of
from icckd_mm.compose.given.data import find_data
from icckd_mm.compose.given.methods import read_methods
from icckd_mm.compose.given.networks import find_network
from icckd_mm.compose.given.schedule import choose_schedule
from icckd_mm.compose.given.weights import starting_weights, write_weights
from icckd_mm.compose.layers import NetworkLayers
from icckd_mm.compose.parts import Parts
from icckd_mm.compose.target import OWN, check_target, temporary_folder
from icckd_mm.compose.writer import config_text, write_config
from icckd_mm.engine.process.temporary_beside import move_into_place

PLAN = 'plan.py'


@dataclass(frozen=True)
class Composition:
    """What was composed.

    Attributes:
        teachers: Configs of the teachers' trainings by file name without ``.py``.
        students: Configs of the distillations, also.
        plan: The plan for ``tools/experiment.py``; empty for several teachers, since a plan trains one.
        layers: What distillers can read of each network, by its name in ``networks.py``.
        folder: Where the configs were written; None if they were not.
        hours: Expected hours of each training on this machine, by file name without ``.py``.
    """

    teachers: Mapping[str, Config]
    students: Mapping[str, Config]
    plan: Config
    layers: Mapping[str, NetworkLayers]
    folder: Path | None = None
    hours: Mapping[str, float] = field(default_factory=dict)

    @property
    def teacher(self) -> Config:
        """Config of the first teacher."""
        return next(iter(self.teachers.values()))

    @property
    def student(self) -> Config:
        """Config of the first student."""
        return next(iter(self.students.values()))


def compose(
    teacher: str | Sequence[str],
    student: str,
    data: str,
    methods: str,
    *,
    out: str | os.PathLike[str] | None = None,
    teacher_weights: str | Sequence[str] = (),
    size: int | None = None,
    held_out: float = 0.1,
    seed: int = 0,
    epochs: int | None = None,
    batch: int | None = None,
    lr: float | None = None,
    schedule: str | None = None,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> Composition:
    """Compose the configs of a teacher and its students, check that each of them runs, and write them.

    Args:
        teacher: A network of the benchmark, a config (path or ``package::name``), ``torchvision:NAME`` or ``timm:NAME``;
            several are one teacher together.
        student: A network, also.
        data: ``'cifar10'``, ``'cifar100'``, ``'tiny-imagenet'``, ``'in1k'``, ``'digits'``, or a folder of class folders.
        methods: How the teacher is trained (``icc``, ``ce``, ``icc-ft``, ``mcmi``) and students with commas between them, as
            ``'icc,kd,kd-crd'``.
        out: Folder for the configs; None writes nothing, so lists of held-out images do not exist.
        teacher_weights: Checkpoints that the teachers start from, in their order.
        size: Side of the images of a folder; None: found.
        held_out: Share of each class that is held out of a folder without ``val`` or ``test``.
        seed: Seed of that choice.
        epochs: Number of epochs; None: by the data, as for the next three.
        batch: Images per step.
        lr: Learning rate.
        schedule: ``'multistep'`` or ``'cosine'``.
        force: Whether a folder that exists is replaced.
        say: Told what the user should know.

    Returns:
        The configs.

    Raises:
        ValueError: If something cannot be used or does not fit; nothing is written then.
    """
    target = check_target(out, force, data)
    wanted = read_methods(methods)
    images = find_data(data, size, held_out, seed, say)
    if images.absent:
        say(f'{images.absent}. Until then the configs are checked with random noise of {images.size}x{images.size}')
    names = [teacher] if isinstance(teacher, str) else list(teacher)
    weights = [teacher_weights] if isinstance(teacher_weights, (str, os.PathLike)) else list(teacher_weights)
    if not names or len(weights) > len(names):
        raise ValueError(f'{len(names)} teachers and {len(weights)} files of weights were given; give at most one for each')
    plan_of_time = choose_schedule(images.schedule, images.train_images, epochs, batch, lr, schedule)
    found = [find_network(name, images.num_classes, images.size, images.recipe) for name in (*names, student)]
    for note in dict.fromkeys(note for network in found for note in network.notes):
        say(note)
    name = re.sub(r'[^\w-]+', '-', target.name) if target is not None else f'{found[0].name}_{found[-1].name}'
    setting = Setting(name, images, plan_of_time, wanted, found[:-1], found[-1], {})
    built = {variable: build_network(network) for variable, network in setting.variables().items()}
    layers = {key: inspect_built(setting.variables()[key], one, images.size) for key, one in built.items()}
    rates = {key: plan_of_time.optimizer(setting.variables()[key].name, one) for key, one in built.items()}
    states = {}
    for variable, file in zip(built, weights):
        states[variable], whole = starting_weights(Path(file), setting.variables()[variable], built[variable], layers[variable])
        say(_about_weights(file, whole))
    setting = replace(setting, rates=rates, weights={key: f'weights/{key}.pth' for key in states})
    parts = all_parts(wanted, pair_of(setting, layers))
    return _written(setting, parts, layers, states, target, say)


def _about_weights(file: object, whole: bool) -> str:
    if whole:
        return f'{file} fits the whole teacher; to distil from it as it is, add --cfg-options model.teacher_ckpt={file}'
    return f'{file}: its last layer has other classes and is left out; the teacher must be trained before it teaches'


def _written(
    setting: Setting,
    parts: Mapping[str, Parts],
    layers: Mapping[str, NetworkLayers],
    states: Mapping[str, Mapping],
    target: Path | None,
    say: Callable[[str], None],
) -> Composition:
    """Write into a folder beside the target, check every config there, and give it its name at the end."""
    files = files_of(setting, parts)
    with temporary_folder(target) as temporary:
        folder = Path(temporary, setting.name)
        folder.mkdir()
        for key, state in states.items():
            (folder / 'weights').mkdir(exist_ok=True)
            write_weights(dict(state), folder / f'weights/{key}.pth')
        for name, text in setting.data.files.items():
            (folder / name).write_text(text, encoding='utf-8')
        for name, file in files.items():
            write_config(file.bases, file.wanted, folder / name, file.note)
        runs = [name.removesuffix('.py') for name in files if name not in OWN]
        hours = {}
        for name in runs:
            say(f'checking {name}.py')
            images = setting.data.train_images * Config.fromfile(folder / f'{name}.py').train_cfg.max_epochs
            side, count = setting.data.size, setting.data.train_images
            hours[name] = check_written(folder / f'{name}.py', Path(temporary, 'runs', name), side, count) * images / 3600
        place = setting.name if target is None else target.as_posix()
        plan = plan_of(setting, place, 3600 * max(hours.values())) if len(setting.teachers) == 1 else {}
        if plan:
            (folder / PLAN).write_text(config_text(plan, 'python -m icckd_mm experiment runs this plan'), encoding='utf-8')
        if target is not None:
            move_into_place(folder, target)
        configs = {name: Config.fromfile((target or folder) / f'{name}.py') for name in runs}
    return Composition(
        {name: cfg for name, cfg in configs.items() if name.startswith('teacher')},
        {name: cfg for name, cfg in configs.items() if name.startswith('student')},
        Config(plan),
        layers,
        target,
        hours,
    )
