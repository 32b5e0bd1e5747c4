"""The configs of a plan's pair: those of this package, of a folder that compose wrote, or two named ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icckd_mm.compose.target import is_composed
from icckd_mm.config.loss_place import loss_config
from icckd_mm.lab.experiment.overrides import TRAIN, one_view
from icckd_mm.lab.experiment.plan import Cell
from icckd_mm.lab.experiment.recipe import read_config_once
from icckd_mm.packaged import own_folder

HOOK = 'IntraClassContrastHook'
SHOWN = 'configs/icckd'  # in messages
FOLDERS = {'icc': ('teacher', 'icc'), 'icc-ft': ('teacher', 'icc-ft'), 'mcmi': ('teacher', 'mcmi')}
OF_ICC = ('ce-2view', 'supcon', 'supcon-icc')  # the ICC config with other options
EXAMPLES = "'TEACHER_STUDENT' such as 'resnet20_resnet8', a folder that compose wrote, or 'TEACHER.py,STUDENT.py'"


@dataclass(frozen=True)
class Found:
    """A config, and the options that make it the wanted one.

    Attributes:
        config: Its path.
        options: Dotted keys and values.
    """

    config: str
    options: dict[str, Any] = field(default_factory=dict)


def teacher_config(cell: Cell, method: str) -> Found:
    """The config that trains the teacher of a cell.

    Args:
        cell: A cell of a plan.
        method: How the teacher is trained; ``'ls'`` and ``'ce-stop'`` use the config of ``'ce'``.

    Returns:
        The config; its options undo what another method adds, where there is none of its own.

    Raises:
        ValueError: If there is none.
    """
    wanted = method if method in (*FOLDERS, *OF_ICC) else 'ce'
    own = own_teachers(str(cell['pair']))
    if own is None:
        return _shipped_teacher(cell, wanted)
    name = 'icc' if wanted in OF_ICC else wanted
    if name in own:
        return Found(own[name])
    if wanted == 'ce' and 'icc' in own:
        return Found(own['icc'], without_contrast(own['icc']))
    raise ValueError(
        f'{cell["pair"]} has no config for the teacher {method!r}; it has {", ".join(sorted(own))}; compose it with --methods'
    )


def student_config(cell: Cell) -> str:
    """The config that distils the student of a cell.

    Raises:
        ValueError: If there is none.
    """
    method, pair = cell['student'], str(cell['pair'])
    if ',' in pair:
        return _two(pair)[1]
    if is_composed(Path(pair)):
        path = Path(pair) / f'student_{method}.py'
        if not path.is_file():
            there = sorted(file.stem.partition('_')[2] for file in Path(pair).glob('student_*.py'))
            raise ValueError(f'{pair} has no student {method!r}; it has {", ".join(there)}; compose it with --methods')
        return path.as_posix()
    names = [f'{prefix}{method}_*_{pair}_*_{cell["data"]}.py' for prefix in ('icckd-', '')]
    found = _find('distill', names[0]) or _find('distill', names[1])
    if found is None:
        raise ValueError(
            f'there is no config {SHOWN}/distill/{names[1]} for the student {method!r}; write it, or change the plan'
        )
    return found


def alone_config(cell: Cell) -> Found:
    """The config that trains the student of a cell without a teacher.

    Raises:
        ValueError: If there is none.
    """
    pair = str(cell['pair'])
    if ',' not in pair and not is_composed(Path(pair)):
        network = networks_of(cell)[1]
        config = _find('baseline', f'ce_{network}_*_{cell["data"]}.py')
        if config is None:
            raise ValueError(f'there is no config {SHOWN}/baseline/ce_{network}_*_{cell["data"]}.py for the student alone')
        return Found(config)
    students = [_two(pair)[1]] if ',' in pair else [path.as_posix() for path in Path(pair).glob('student_*.py')]
    for config in sorted(students, key=lambda path: (len(path), path)):  # the plainest first
        model = read_config_once(config).model
        if 'architecture' in model:
            return Found(config, _without_teacher(model))
    raise ValueError(f'{pair} has no config of a distillation, student_<method>.py; compose it')


def _without_teacher(model: Any) -> dict[str, Any]:
    student = model.architecture.to_dict()
    loss = loss_config(student).get('loss')
    if isinstance(loss, dict):
        loss['loss_weight'] = 1.0
    return {'model': {**student, '_delete_': True}, 'val_cfg': {'_delete_': True}, 'custom_hooks': []}


def networks_of(cell: Cell) -> list[str]:
    """Names of the teacher's and the student's network, for the factors of their runs."""
    pair = str(cell['pair'])
    if ',' in pair or is_composed(Path(pair)):
        return [f'{pair}: teacher', f'{pair}: student']
    names = pair.split('_')
    if len(names) != 2 or '/' in pair:
        raise ValueError(f'pair must be {EXAMPLES}, got {pair!r}')
    return names


def own_teachers(pair: str) -> dict[str, str] | None:
    """Configs of the teacher by method; None for a pair of this package."""
    if ',' in pair:
        path = _two(pair)[0]
        return {trained_by(path): path}
    if not is_composed(Path(pair)):
        return None
    paths = [Path(pair) / 'teacher.py', *sorted(Path(pair).glob('teacher_*.py'))]
    return {trained_by(path.as_posix()): path.as_posix() for path in paths if path.is_file()}


def _two(pair: str) -> list[str]:
    paths = [one.strip() for one in pair.split(',')]
    missing = [one for one in paths if not Path(one).is_file()]
    if len(paths) != 2 or missing:
        raise ValueError(f'pair must be {EXAMPLES}, got {pair!r}' + (f'; {missing[0]} does not exist' if missing else ''))
    return paths


def trained_by(config: str) -> str:
    """How a config trains its teacher: by its hook, its loss and what it starts from."""
    cfg = read_config_once(config)
    model = cfg.get('model') or {}
    if str((loss_config(model).get('loss') or {}).get('type')).endswith('MCMILoss'):
        return 'mcmi'
    if contrast_index(config) is None:
        return 'ce'
    return 'icc-ft' if str(cfg.get('load_from') or '').startswith('work_dirs/') else 'icc'


def contrast_index(config: str) -> int | None:
    """Place of the intra-class contrastive hook in ``custom_hooks``; None if there is none."""
    hooks = read_config_once(config).get('custom_hooks') or []
    return next((place for place, hook in enumerate(hooks) if str(hook.get('type')).endswith(HOOK)), None)


def contrast_key(config: str) -> str:
    """Dotted key of the intra-class contrastive hook.

    Raises:
        ValueError: If there is none.
    """
    place = contrast_index(config)
    if place is None:
        raise ValueError(f'{config} has no {HOOK} in custom_hooks; give the config of an ICC teacher')
    return f'custom_hooks.{place}'


def without_contrast(config: str) -> dict[str, Any]:
    """The options that make a cross-entropy teacher of an intra-class contrastive one: one view, no hook."""
    cfg, place = read_config_once(config), contrast_index(config)
    hooks = [hook.to_dict() for number, hook in enumerate(cfg.custom_hooks) if number != place]
    return {
        'custom_hooks': hooks,
        f'{TRAIN}.pipeline': one_view(cfg.train_dataloader.dataset.pipeline),
        'data_preprocessor.type': 'mmpretrain.ClsDataPreprocessor',
    }


def _shipped_teacher(cell: Cell, method: str) -> Found:
    network = networks_of(cell)[0]
    folder, name = FOLDERS.get(method, ('baseline', method))
    config = _find(folder, f'{name}_{network}_*_{cell["data"]}.py')
    if config is None and method in (*OF_ICC, 'icc-ft'):  # the same with other options
        config = _find('teacher', f'icc_{network}_*_{cell["data"]}.py')
    if config is None:
        wanted = f'{SHOWN}/{folder}/{name}_{network}_*_{cell["data"]}.py'
        raise ValueError(f'there is no config {wanted}; write it, or change the plan')
    return Found(config)


def configs() -> Path:
    """The folder of this package's configs: ``configs/icckd`` of the working directory if it is a checkout, else installed."""
    folder = (own_folder() or Path()) / 'configs/icckd'
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _find(folder: str, pattern: str) -> str | None:
    """The config in a folder whose name matches a pattern; None if there is none."""
    found = sorted((configs() / folder).glob(pattern))
    if len(found) > 1:
        raise ValueError(f'{SHOWN}/{folder}/{pattern} matches {len(found)} configs: {", ".join(map(str, found))}')
    return str(found[0]) if found else None
