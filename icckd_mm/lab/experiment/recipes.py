"""From a cell of a plan to the configs of this repository: what a user would run by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from icckd_mm.lab.experiment.plan import Cell, Plan

CONFIGS = Path('configs/icckd')
LOSS = 'custom_hooks.0.loss'
CONTRAST = ('loss_weight', 'margin', 'temperature', 'queue_size', 'in_batch_negatives')
# the factors that a teacher depends on, beside data, images, epochs and its network
USES = {
    'ce': (),
    'ce-2view': ('second_view',),
    'icc': (*CONTRAST, 'second_view', 'features'),
    'icc-ft': (*CONTRAST, 'second_view', 'features', 'finetune_epochs', 'finetune_lr'),
    'mcmi': ('kl_weight', 'finetune_epochs', 'finetune_lr'),
    'ls': ('smoothing',),
    'ce-stop': ('stop_epoch',),
}
COUNTS = ('images', 'epochs', 'stop_epoch', 'finetune_epochs')
FINETUNED = ('icc-ft', 'mcmi')  # they start from the teacher of cross-entropy


@dataclass(frozen=True)
class Recipe:
    """One run but for its seed.

    Attributes:
        stage (str): ``'teacher'`` or ``'student'``.
        method (str): Name of the teacher's or student's method.
        factors (dict): The factors it depends on, and their values.
        config (str): Path of its config.
        options (dict): ``--cfg-options`` over it, without the checkpoint it starts from.
        parent (Recipe, optional): The run whose last checkpoint it needs.
        parent_key (str): Where the path of that checkpoint goes.
    """

    stage: str
    method: str
    factors: dict[str, Any]
    config: str
    options: dict[str, Any] = field(default_factory=dict)
    parent: Recipe | None = None
    parent_key: str = ''


def recipes(plan: Plan, cell: Cell) -> list[Recipe]:
    """The runs of a cell: its teacher and its student.

    Args:
        plan (Plan): The plan.
        cell (Cell): One of ``plan.cells()``, its ``data`` as in the names of the configs.

    Returns:
        list[Recipe]: Those that come first need none of the later ones; :func:`.with_data` adds the data.

    Raises:
        ValueError: If there is no config for the cell, or its values contradict one another.
    """
    for name in COUNTS:
        if cell[name] is not None and not (isinstance(cell[name], int) and cell[name] >= 1):
            raise ValueError(f'{name} must be an integer of at least 1, got {cell[name]!r}')
    if cell['student'] == 'alone':
        return [_alone(plan, cell)]
    teacher = _teacher(plan, cell, cell['teacher'])
    chain = [teacher] if teacher.parent is None else [teacher.parent, teacher]
    return chain if cell['student'] == 'none' else [*chain, _student(plan, cell, teacher)]


def _teacher(plan: Plan, cell: Cell, method: str) -> Recipe:
    if method not in USES:
        raise ValueError(f'teacher must be one of {", ".join(USES)}, got {method!r}')
    network = _networks(cell)[0]
    factors = {**_shared(cell, network), 'teacher': method, **{name: cell[name] for name in USES[method]}}
    folder, name = {'mcmi': ('teacher', 'mcmi'), 'icc': ('teacher', 'icc'), 'icc-ft': ('teacher', 'icc-ft')}.get(
        method, ('baseline', 'ce-2view' if method == 'ce-2view' else 'ce')
    )
    config = _find(folder, f'{name}_{network}_*_{cell["data"]}.py')
    if config is None and method in ('ce-2view', 'icc-ft'):  # the same with other options
        config = _find('teacher', f'icc_{network}_*_{cell["data"]}.py')
    if config is None:
        raise ValueError(
            f'there is no config {CONFIGS}/{folder}/{name}_{network}_*_{cell["data"]}.py; write it, or change the plan'
        )
    options = _common(plan, cell, config)
    if method == 'ce-2view':
        options.update({f'{LOSS}.loss_weight': 0.0, 'custom_hooks.0.second_view': cell['second_view']})
    elif method in ('icc', 'icc-ft'):
        _check_loss(cell)
        options.update({f'{LOSS}.{name}': cell[name] for name in CONTRAST})
        options['custom_hooks.0.second_view'] = cell['second_view']
        if cell['features'] == 'logits':
            options['custom_hooks.0.features'] = 'head.fc'
        elif cell['features'] != 'pooled':
            raise ValueError(f"features must be 'pooled' or 'logits', got {cell['features']!r}")
    elif method == 'ls':
        smooth = dict(type='LabelSmoothLoss', label_smooth_val=cell['smoothing'], mode='original')
        options.update({f'model.head.loss.{name}': value for name, value in smooth.items()})
    elif method == 'ce-stop':  # the schedule of the whole run, left early
        if not isinstance(cell['stop_epoch'], int):
            raise ValueError(
                f'the teacher ce-stop needs stop_epoch, the epoch after which it stops, got {cell["stop_epoch"]!r}'
            )
        options['train_cfg.max_epochs'] = cell['stop_epoch']
    parent = None
    if method in FINETUNED:
        parent = _teacher(plan, cell, 'ce')
        options.update(_epochs(config, cell['finetune_epochs']))
        options['optim_wrapper.optimizer.lr'] = cell['finetune_lr']
    if method == 'mcmi':
        options['model.head.loss.kl_weight'] = cell['kl_weight']
    options.update(_network_options(plan, teacher='model'))
    options.update(_plan_options(plan, 'teacher', method))
    return Recipe('teacher', method, factors, config, options, parent, 'load_from' if parent else '')


def _check_loss(cell: Cell) -> None:
    """Refuse now what the loss would refuse when the run begins."""
    from icckd_mm.models import IntraClassContrastiveLoss  # heavy

    IntraClassContrastiveLoss(num_classes=1, feat_dims=1, **{name: cell[name] for name in CONTRAST})


def _student(plan: Plan, cell: Cell, teacher: Recipe) -> Recipe:
    method, pair = cell['student'], cell['pair']
    names = [f'{prefix}{method}_*_{pair}_*_{cell["data"]}.py' for prefix in ('icckd-', '')]
    config = _find('distill', names[0]) or _find('distill', names[1])
    if config is None:
        raise ValueError(
            f'there is no config {CONFIGS}/distill/{names[1]} for the student {method!r}; write it, or change the plan'
        )
    options = _common(plan, cell, config)
    if teacher.method == 'mcmi':
        options['model.ignore_keys'] = ['head.loss_module.']  # its class means
    if 'crd' in method.split('-'):
        options.update(_crd_options(plan, cell))
    options.update(_network_options(plan, teacher='model.teacher', student='model.architecture'))
    options.update(_plan_options(plan, 'student', method))
    factors = {**teacher.factors, 'pair': pair, 'student': method}
    del factors['network']
    return Recipe('student', method, factors, config, options, teacher, 'model.teacher_ckpt')


def _crd_options(plan: Plan, cell: Cell) -> dict[str, Any]:
    """The sizes that CRD must know: images of its memory, and widths of the features it compares."""
    options: dict[str, Any] = {}
    if cell['images'] is not None:
        options['model.distiller.distill_losses.loss_crd.sample_n'] = cell['images']
    for role in ('student', 'teacher'):
        width = plan.networks.get(role, {}).get('head.in_channels')
        if width is not None:
            options[f'model.distiller.connectors.crd_{role}.dim_in'] = width
    return options


def _alone(plan: Plan, cell: Cell) -> Recipe:
    network = _networks(cell)[1]
    config = _find('baseline', f'ce_{network}_*_{cell["data"]}.py')
    if config is None:
        raise ValueError(f'there is no config {CONFIGS}/baseline/ce_{network}_*_{cell["data"]}.py for the student alone')
    options = {
        **_common(plan, cell, config),
        **_network_options(plan, student='model'),
        **_plan_options(plan, 'student', 'alone'),
    }
    return Recipe('student', 'alone', {**_shared(cell, network), 'student': 'alone'}, config, options)


def _shared(cell: Cell, network: str) -> dict[str, Any]:
    return {**{name: cell[name] for name in ('data', 'images', 'epochs')}, 'network': network}


def _networks(cell: Cell) -> list[str]:
    names = str(cell['pair']).split('_')
    if len(names) != 2:
        raise ValueError(f"pair must be 'TEACHER_STUDENT', such as 'resnet20_resnet8', got {cell['pair']!r}")
    return names


def _find(folder: str, pattern: str) -> str | None:
    found = sorted((CONFIGS / folder).glob(pattern))
    if len(found) > 1:
        raise ValueError(f'{CONFIGS / folder / pattern} fits {len(found)} configs: {", ".join(map(str, found))}')
    return str(found[0]) if found else None


def _common(plan: Plan, cell: Cell, config: str) -> dict[str, Any]:
    return {} if cell['epochs'] is None else _epochs(config, cell['epochs'])


def _epochs(config: str, epochs: int) -> dict[str, Any]:
    """The options that make a run that long, its schedule in proportion."""
    from icckd_mm.datasets.fast import shrunk_schedule  # heavy

    cfg = read_config_once(config)
    scheduler = cfg.get('param_scheduler')
    options: dict[str, Any] = {'train_cfg.max_epochs': epochs}
    if isinstance(scheduler, dict) and set(scheduler) & {'T_max', 'milestones'}:
        scaled = shrunk_schedule(scheduler, epochs / cfg.train_cfg.max_epochs)
        options.update({f'param_scheduler.{key}': scaled[key] for key in ('T_max', 'milestones') if key in scaled})
    elif scheduler is not None:
        options['param_scheduler'] = shrunk_schedule(scheduler, epochs / cfg.train_cfg.max_epochs)
    return options


def _network_options(plan: Plan, **places: str) -> dict[str, Any]:
    return {f'{place}.{key}': value for role, place in places.items() for key, value in plan.networks.get(role, {}).items()}


def _plan_options(plan: Plan, stage: str, method: str) -> dict[str, Any]:
    places = dict.fromkeys(('all', stage, method))  # a later one wins
    return {key: value for place in places for key, value in plan.options.get(place, {}).items()}


@cache
def read_config_once(path: str) -> Any:
    """A config that nobody may change."""
    from mmengine.config import Config

    return Config.fromfile(path)
