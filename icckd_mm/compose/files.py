"""The files of a composition: data, networks, teachers, students and a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from icckd_mm.compose.given.data import Data, two_views, weak_strong_views
from icckd_mm.compose.given.methods import FINETUNED, Methods
from icckd_mm.compose.given.networks import Network
from icckd_mm.compose.given.schedule import Schedule
from icckd_mm.compose.literals import Reference
from icckd_mm.compose.parts import Parts
from icckd_mm.compose.student import student_entries
from icckd_mm.compose.target import OWN
from icckd_mm.config.loss_place import loss_key, loss_state

RUNTIME = 'icckd_mm::_base_/runtime.py'
CONTRAST = 0.02  # weight of the intra-class contrastive loss, the benchmark's
KL_WEIGHT = 0.25  # of MCMI
SEEDS = 3


@dataclass(frozen=True)
class File:
    """A config before it is written.

    Attributes:
        bases: Its bases.
        wanted: What it sets, for :func:`icckd_mm.compose.writer.write_config`.
        note: Comment at the top.
    """

    bases: tuple[str, ...]
    wanted: dict[str, Any]
    note: str = ''


@dataclass(frozen=True)
class Setting:
    """Everything that the files say.

    Attributes:
        name: Name of the composition, for work dirs and the plan.
        data: The images.
        schedule: Length and rates.
        methods: Teachers and students.
        teachers: Networks of the teachers; several make an ensemble.
        student: Network of the student.
        rates: What each of ``teacher``, ``teacher2``, ... and ``student`` needs in ``optim_wrapper``.
        weights: File of the weights that a teacher starts from, by its variable.
    """

    name: str
    data: Data
    schedule: Schedule
    methods: Methods
    teachers: Sequence[Network]
    student: Network
    rates: Mapping[str, dict[str, Any]]
    weights: Mapping[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, Network]:
        """The networks by their names in ``networks.py``."""
        numbered = {f'teacher{"" if number == 1 else number}': net for number, net in enumerate(self.teachers, 1)}
        return {**numbered, 'student': self.student}

    def checkpoint(self, config: str, epochs: int) -> str:
        """Last checkpoint of one of the configs."""
        return f'work_dirs/{self.name}/{config}/epoch_{epochs}.pth'

    def teacher_file(self, teacher: str, method: str) -> str:
        """Name of a teacher's config: that of the first method bears none."""
        return teacher if method == self.methods.teachers[0] else f'{teacher}_{method}'

    def teacher_epochs(self, method: str) -> int:
        """Epochs of a teacher's training."""
        return self.schedule.finetuned_epochs if method in FINETUNED else self.schedule.epochs


def files_of(setting: Setting, parts: Mapping[str, Parts]) -> dict[str, File]:
    """All configs but the plan.

    Args:
        setting: What they say.
        parts: Of each student, by its name; first stages included.

    Returns:
        By file name, in an order in which bases come first.
    """
    files = {'data.py': _data(setting), 'networks.py': _networks(setting)}
    teachers = [name for name in setting.variables() if name != 'student']
    for teacher in teachers:
        for method in setting.methods.teachers:
            files[f'{setting.teacher_file(teacher, method)}.py'] = _teacher(setting, teacher, method)
    for name, one in parts.items():
        files[f'student_{name}.py'] = _student(setting, name, one, teachers)
    return files


def _data(setting: Setting) -> File:
    data, schedule = setting.data, setting.schedule
    wanted = dict(data.wanted)
    wanted['train_dataloader'] = {**wanted.get('train_dataloader', {}), 'batch_size': schedule.batch}
    if data.train_images % schedule.batch == 1:
        wanted['train_dataloader']['drop_last'] = True  # batch norm needs two images
    wanted.update(schedule.settings())
    wanted['auto_scale_lr'] = dict(base_batch_size=schedule.batch)
    wanted['optim_wrapper'] = dict(optimizer=dict(lr=schedule.lr))
    note = f'{data.comment}\n{schedule.epochs} epochs of {data.train_images} images in batches of {schedule.batch}'
    return File((data.base, schedule.base, RUNTIME), wanted, note.strip())


def _networks(setting: Setting) -> File:
    bases: list[str] = []
    wanted: dict[str, Any] = {}
    variables = setting.variables()
    imports = sorted({name for net in variables.values() for name in net.imports})
    if imports:
        wanted['custom_imports'] = dict(imports=imports, allow_failed_imports=False)
    for net in variables.values():
        if net.base is not None and net.base[0] not in bases:
            bases.append(net.base[0])
            wanted.update({f'_base_.{key}': value for key, value in net.changes.items()})
    for name, net in variables.items():
        wanted[name] = net.model if net.base is None else Reference(f'_base_.{net.base[1]}')
    return File(tuple(bases), wanted, '; '.join(f'{name}: {net.given}' for name, net in variables.items()))


def _teacher(setting: Setting, teacher: str, method: str) -> File:
    data, network = setting.data, setting.variables()[teacher]
    own = setting.teacher_file(teacher, method)
    wanted: dict[str, Any] = {}
    if method == 'mcmi':
        mcmi = dict(type='icckd_mm.MCMILoss', num_classes=data.num_classes, kl_weight=KL_WEIGHT)
        wanted[f'_base_.{teacher}.{loss_key(network.model)}'] = mcmi
    wanted['model'] = Reference(f'_base_.{teacher}')
    if method.startswith('icc'):
        wanted['data_preprocessor'] = dict(type='icckd_mm.TwoViewDataPreprocessor')
        wanted['train_dataloader'] = dict(dataset=dict(pipeline=two_views(data.pipeline)))
        loss = dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=CONTRAST)
        wanted['custom_hooks'] = [dict(type='icckd_mm.IntraClassContrastHook', loss=loss)]
    wanted['optim_wrapper'] = setting.rates[teacher]
    if method in FINETUNED:
        wanted.update(setting.schedule.settings(setting.schedule.finetuned_epochs, 'cosine'))
        plain = setting.teacher_file(teacher, 'ce')
        wanted['load_from'] = setting.checkpoint(plain, setting.schedule.epochs)
    elif teacher in setting.weights:
        wanted['load_from'] = f'{{{{ fileDirname }}}}/{setting.weights[teacher]}'
    wanted['work_dir'] = f'work_dirs/{setting.name}/{own}'
    return File(OWN, wanted, f'{network.given} trained by {method}')


def _student(setting: Setting, name: str, parts: Parts, teachers: list[str]) -> File:
    first = setting.methods.teachers[0]
    epochs = setting.teacher_epochs(first)
    checkpoints = [setting.checkpoint(setting.teacher_file(one, first), epochs) for one in teachers]
    entries = student_entries(
        parts,
        student='_base_.student',
        teacher='_base_.teacher',
        teacher_ckpt=checkpoints[0],
        first_stages={
            method: setting.checkpoint(f'student_{method}', setting.schedule.epochs) for method in parts.starts_from.values()
        },
        loss=loss_key(setting.student.model),
    )
    model = entries['model']
    if isinstance(model, dict) and len(teachers) > 1:
        del model['teacher_ckpt']
        references = [Reference(f'_base_.{one}') for one in teachers]
        model['teacher'] = dict(type='icckd_mm.TeacherEnsemble', how='mean', teachers=references, teacher_ckpts=checkpoints)
    if isinstance(model, dict) and first == 'mcmi':
        model['ignore_keys'] = [loss_state(setting.teachers[0].model)]  # its class means
    if parts.data:
        entries['data_preprocessor'] = dict(type='icckd_mm.TwoViewDataPreprocessor', repeat_samples=True)
        entries['train_dataloader'] = dict(dataset=dict(pipeline=weak_strong_views(setting.data)))
    wanted = {**entries, 'work_dir': f'work_dirs/{setting.name}/student_{name}'}
    wanted['optim_wrapper'] = student_optimizer(setting, entries.get('optim_wrapper', {}))
    teacher = ' and '.join(net.given for net in setting.teachers)
    return File(OWN, wanted, f'{setting.student.given} distilled from {teacher} by {name}')


def student_optimizer(setting: Setting, published: dict[str, Any]) -> dict[str, Any]:
    """The optimizer of a student: what its distiller is published with over what its network needs.

    Args:
        setting: The composition; a rate that the user gave stays.
        published: ``optim_wrapper`` of the distiller, for SGD.

    Returns:
        ``optim_wrapper`` of the student's config.
    """
    own, other = setting.rates['student']['optimizer'], published.get('optimizer', {})
    if '_delete_' in own:  # AdamW, which a rate for SGD does not suit
        optimizer = other if 'type' in other else own
    else:
        optimizer = {**own, **other, **({'lr': own['lr']} if setting.schedule.given_lr else {})}
    return {**setting.rates['student'], **published, 'optimizer': optimizer}


def plan_of(setting: Setting, folder: str, seconds: float) -> dict[str, Any]:
    """The plan for ``tools/experiment.py``: every student of every teacher, controls and seeds.

    Args:
        setting: The composition.
        folder: The folder of the configs, as the plan names it.
        seconds: Expected seconds of a run.

    Returns:
        Fields of a plan.
    """
    methods = [name for name in setting.methods.teachers if name != 'ce'] or ['ce']
    plan: dict[str, Any] = dict(
        name=setting.name,
        title=f'{setting.student.name} from {" and ".join(net.name for net in setting.teachers)} on {setting.data.given}',
        seeds=list(range(SEEDS)),
        default=dict(data='own', pair=folder, teacher=methods[0], student=next(iter(setting.methods.students))),
        designs=[dict(type='product', teacher=methods, student=list(setting.methods.students))],
        controls=['ce', 'ce-2view', 'alone'] if any(name.startswith('icc') for name in methods) else ['ce', 'alone'],
    )
    return {**plan, 'seconds': max(1, round(seconds))}
