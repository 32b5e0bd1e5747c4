"""Translates a cell of a plan to configs and their options."""

from __future__ import annotations

import re
from typing import Any

from icckd_mm.config.loss_place import loss_key, loss_state
from icckd_mm.lab.experiment.pairs import alone_config, contrast_key, networks_of, student_config, teacher_config
from icckd_mm.lab.experiment.plan import Cell
from icckd_mm.lab.experiment.recipe import Recipe, common_options, epochs_options, read_config_once

CONTRAST = ('loss_weight', 'margin', 'temperature', 'queue_size', 'in_batch_negatives')
VIEWS = ('second_view', 'positive')
POSITIVES = ('weak', 'strong')  # how the second view is augmented
SUPCON = 'icckd_mm.SupervisedContrastiveLoss'
LATER = {'positive': 'weak', 'begin': 0}  # records of earlier versions do not name them
# the factors that a teacher depends on, in addition to data, images, epochs and its network
USES = {
    'ce': (),
    'ce-2view': VIEWS,
    'icc': (*CONTRAST, *VIEWS, 'begin', 'features'),
    'icc-ft': (*CONTRAST, *VIEWS, 'begin', 'features', 'finetune_epochs', 'finetune_lr'),
    'supcon': VIEWS,
    'supcon-icc': (*CONTRAST, *VIEWS, 'begin', 'features'),
    'mcmi': ('kl_weight', 'finetune_epochs', 'finetune_lr'),
    'ls': ('smoothing',),
    'ce-stop': ('stop_epoch',),
}
FINETUNED = ('icc-ft', 'mcmi')  # they start from the CE teacher
SUBCLASS_PLACES = ('architecture.head', 'distiller.distill_losses.loss_subclass')
COUNTS = ('images', 'epochs', 'stop_epoch', 'finetune_epochs')


def recipes(cell: Cell) -> list[Recipe]:
    """The runs of a cell: its teacher and its student.

    Args:
        cell: One of ``plan.cells()``, its ``data`` as in the names of the configs.

    Returns:
        The runs, parents first; :func:`.with_overrides` adds the options of the plan.

    Raises:
        ValueError: If there is no config for the cell, or its values contradict one another.
    """
    for name in COUNTS:
        if cell[name] is not None and not (isinstance(cell[name], int) and cell[name] >= 1):
            raise ValueError(f'{name} must be an integer of at least 1, got {cell[name]!r}')
    if cell['student'] == 'alone':
        return [_alone(cell)]
    teacher = _teacher(cell, cell['teacher'])
    chain = [teacher] if teacher.parent is None else [teacher.parent, teacher]
    return chain if cell['student'] == 'none' else [*chain, _student(cell, teacher)]


def _teacher(cell: Cell, method: str) -> Recipe:
    """The teacher of a method, preceded by the one it is fine-tuned from.

    Raises:
        ValueError: If there is no config for the method, or its values cannot be used.
    """
    if method not in USES:
        raise ValueError(f'teacher must be one of {", ".join(USES)}, got {method!r}')
    network = networks_of(cell)[0]
    factors = {**_shared(cell, network), 'teacher': method, **{name: cell[name] for name in USES[method]}}
    for name, value in LATER.items():
        if factors.get(name) == value:
            del factors[name]
    found = teacher_config(cell, method)
    config = found.config
    options = {**found.options, **common_options(cell, config)}
    loss = f'model.{loss_key(read_config_once(config).model)}'
    if 'positive' in USES[method]:
        options.update(_contrast_options(cell, method, contrast_key(config)))
    if method == 'ls':
        smooth = dict(type='LabelSmoothLoss', label_smooth_val=cell['smoothing'], mode='original')
        options.update({f'{loss}.{name}': value for name, value in smooth.items()})
    elif method == 'ce-stop':  # the schedule of the full run, stopped early
        if not isinstance(cell['stop_epoch'], int):
            raise ValueError(
                f'the teacher ce-stop needs stop_epoch, the epoch after which it stops, got {cell["stop_epoch"]!r}'
            )
        options['train_cfg.max_epochs'] = cell['stop_epoch']
    parent = None
    if method in FINETUNED:
        parent = _teacher(cell, 'ce')
        options.update(epochs_options(config, cell['finetune_epochs']))
        options['optim_wrapper.optimizer.lr'] = cell['finetune_lr']
    if method == 'mcmi':
        options[f'{loss}.kl_weight'] = cell['kl_weight']
    return Recipe('teacher', method, factors, config, options, parent, 'load_from' if parent else '')


def _contrast_options(cell: Cell, method: str, hook: str) -> dict[str, Any]:
    """The options of a teacher with two views and a loss between them.

    Raises:
        ValueError: If a value cannot be used.
    """
    if cell['positive'] not in POSITIVES:
        raise ValueError(f'positive must be one of {", ".join(POSITIVES)}, got {cell["positive"]!r}')
    if cell['positive'] == 'strong' and cell['second_view'] == 'bank':
        raise ValueError("positive='strong' augments the second view, and second_view='bank' has none; use 'grad' or 'no_grad'")
    options = {f'{hook}.second_view': cell['second_view']}
    if method.startswith('supcon'):
        options[f'{hook}.loss.type'] = SUPCON
    if method in ('ce-2view', 'supcon'):
        return {**options, f'{hook}.loss.loss_weight': 0.0}
    _check_contrast(cell)
    options.update({f'{hook}.loss.{name}': cell[name] for name in CONTRAST})
    if cell['begin']:
        options[f'{hook}.begin'] = cell['begin']
    if cell['features'] == 'logits':
        options[f'{hook}.features'] = 'head.fc'
    elif cell['features'] != 'pooled':
        raise ValueError(f"features must be 'pooled' or 'logits', got {cell['features']!r}")
    return options


def _check_contrast(cell: Cell) -> None:
    """Check values now that the loss and its hook would refuse when the run begins."""
    from icckd_mm.models import IntraClassContrastiveLoss  # heavy
    from icckd_mm.teacher.second_views import check_second_view

    begin = cell['begin']  # that it is before the end is checked where the config is known
    if isinstance(begin, bool) or not isinstance(begin, int) or begin < 0:
        raise ValueError(f'begin must be an epoch of the training, from 0, got {begin!r}')
    IntraClassContrastiveLoss(num_classes=1, feat_dims=1, **{name: cell[name] for name in CONTRAST})
    check_second_view(cell['second_view'])


def _student(cell: Cell, teacher: Recipe) -> Recipe:
    """The distillation from a teacher.

    Raises:
        ValueError: If there is no config for the student's method.
    """
    method, pair = cell['student'], cell['pair']
    base, number = _subclasses(method)
    config = student_config({**cell, 'student': base})
    if 'architecture' in (model := read_config_once(config).model) and 'teacher_ckpts' in (model.get('teacher') or {}):
        raise ValueError(f'{config} has several teachers, and a plan trains one; train them by hand, or change the plan')
    options = common_options(cell, config)
    if number is not None:
        options.update({f'model.{place}.subclasses': number for place in SUBCLASS_PLACES})
    if teacher.method == 'mcmi':
        options['model.ignore_keys'] = [loss_state(read_config_once(teacher.config).model)]  # its class means
    factors = {**teacher.factors, 'pair': pair, 'student': method}
    del factors['network']
    return Recipe('student', method, factors, config, options, teacher, 'model.teacher_ckpt')


def _subclasses(method: str) -> tuple[str, int | None]:
    """The method without the number of subclasses after its name, and the number: ``subclass-10`` has 10 in each class."""
    found = re.fullmatch(r'(subclass|lelp)-([2-9]|[1-9][0-9]{1,3})', method)
    return (found[1], int(found[2])) if found else (method, None)


def _alone(cell: Cell) -> Recipe:
    """The student without a teacher.

    Raises:
        ValueError: If there is no config for its network.
    """
    found, network = alone_config(cell), networks_of(cell)[1]
    options = {**found.options, **common_options(cell, found.config)}
    return Recipe('student', 'alone', {**_shared(cell, network), 'student': 'alone'}, found.config, options)


def _shared(cell: Cell, network: str) -> dict[str, Any]:
    """The factors that every run depends on, with its network."""
    return {**{name: cell[name] for name in ('data', 'images', 'epochs')}, 'network': network}
