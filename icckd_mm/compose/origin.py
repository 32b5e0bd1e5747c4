"""Converts mmrazor's own classification configs, which name ``mmcls``, to configs that run here."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmpretrain.registry import MODELS

from icckd_mm.compose.check import check_runs
from icckd_mm.compose.writer import config_text
from icckd_mm.config.errors import describe
from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.registry import MODELS as OWN

OLD, NEW = 'mmcls', 'mmpretrain'
HANDLED = 'SingleTeacherDistill'
DROPPED = ('mmengine_version', 'dataset_type', 'ori_train_dataset', 'ori_test_dataset', 'crd_train_dataset', 'crd_test_dataset')
TRAIN_IMAGES = {'CIFAR10': 50_000, 'CIFAR100': 50_000, 'ImageNet': 1_281_167}


def convert(origin: str, out: str, force: bool = False) -> Path:
    """Write a config of mmrazor in today's names, with this package's corrected losses, and run it for a few batches.

    Args:
        origin: Path of the config, or ``mmrazor::distill/mmcls/...``.
        out: The new file.
        force: Whether a file that exists is replaced.

    Returns:
        The new file.

    Raises:
        ValueError: If it is not a distillation from one teacher, or does not run; nothing is written then.
    """
    target = Path(out).expanduser()
    if target.suffix != '.py':
        raise ValueError(f'--out must be a file NAME.py with --from, got {out!r}')
    if target.exists() and not force:
        raise ValueError(f'{target} exists; --force replaces it')
    text = config_text(converted(origin), f'{origin}, converted from mmcls to mmpretrain')
    with tempfile.TemporaryDirectory(prefix='compose-') as temporary:
        path = Path(temporary, target.name)
        path.write_text(text, encoding='utf-8')
        cfg = Config.fromfile(path)
        check_runs(cfg, target.name, Path(temporary, 'run'), 224, 10**6)
    write_atomically(target, text.encode())
    return target


def converted(origin: str) -> dict[str, Any]:
    """Entries of the new config.

    Args:
        origin: Path or name of the old one.

    Returns:
        Plain values, whole: the new file has no bases.

    Raises:
        ValueError: If it cannot be read, or is not a distillation from one teacher.
    """
    try:
        with renamed_package():
            path = Config._get_cfg_path(origin, '')[0] if '::' in origin else origin
            old = Config.fromfile(path).to_dict()
    except Exception as error:  # a config is a program and may raise any error
        raise ValueError(f'{origin} cannot be read: {describe(error)}') from None
    kind = str((old.get('model') or {}).get('type')).rpartition('.')[2]
    if kind != HANDLED:
        raise ValueError(f'{origin} is a {kind}; only {HANDLED} is converted, others have configs in configs/icckd/distill')
    with renamed_package():
        new = {key: _renamed(value) for key, value in old.items() if key not in DROPPED}
    new['model']['type'] = 'icckd_mm.SafeTeacherDistill'
    given = new['model'].pop('data_preprocessor', None) or new.get('data_preprocessor') or {}
    kept = {key: given[key] for key in ('mean', 'std') if key in given}
    order = bool(given.get('to_rgb', given.get('bgr_to_rgb', False)))
    new['data_preprocessor'] = dict(type='mmpretrain.ClsDataPreprocessor', **kept, to_rgb=order)
    for name in ('train', 'val', 'test'):
        if new.get(f'{name}_dataloader'):
            new[f'{name}_dataloader']['dataset'] = _plain_dataset(new[f'{name}_dataloader']['dataset'])
    new['val_cfg'] = dict(type='icckd_mm.DistillValLoop')
    new['default_scope'] = NEW
    _own_losses(new)
    return {'default_scope': new.pop('default_scope'), **new}


@contextmanager
def renamed_package() -> Iterator[None]:
    """Within it mmengine finds ``mmcls::`` in mmpretrain."""
    original = Config._get_cfg_path

    def get_cfg_path(cfg_path: str, filename: str) -> Any:
        path, scope = original(cfg_path.replace(f'{OLD}::', f'{NEW}::', 1), filename)
        return path, None if scope == NEW else scope

    Config._get_cfg_path = staticmethod(get_cfg_path)
    try:
        yield
    finally:
        Config._get_cfg_path = staticmethod(original)


def _renamed(value: Any) -> Any:
    """A value with today's names; a network that is named by its config is written out."""
    if isinstance(value, dict):
        if isinstance(value.get('cfg_path'), str):
            path, _ = Config._get_cfg_path(value['cfg_path'], '')
            rest = {key: one for key, one in value.items() if key not in ('cfg_path', 'pretrained', '_scope_')}
            network = Config(Config.fromfile(path).to_dict())
            network.merge_from_dict({'model': rest})
            model = {key: one for key, one in network.model.to_dict().items() if key not in ('train_cfg', 'data_preprocessor')}
            return {'_scope_': NEW, **model}
        return {key: _renamed(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_renamed(one) for one in value)
    if value == OLD:
        return NEW
    if isinstance(value, str) and value.startswith((f'{OLD}.', f'{OLD}::')):
        return NEW + value[len(OLD) :]
    return 'mmpretrain.PackInputs' if value == 'PackCRDClsInputs' else value


def _plain_dataset(dataset: dict[str, Any]) -> dict[str, Any]:
    """A data set without the wrapper that draws CRD's negatives; ours are drawn by the loss."""
    inner = dataset['dataset'] if str(dataset['type']).endswith('CRDDataset') else dataset
    inner['pipeline'] = [_plain_step(step) for step in inner['pipeline']]
    if inner.get('_scope_') == NEW and '.' not in inner['type']:
        inner['type'] = f'{NEW}.{inner["type"]}'
    inner.pop('_scope_', None)
    return inner


def _plain_step(step: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in step.items() if not (key == '_scope_' and '.' in str(step['type']))}


def _own_losses(config: dict[str, Any]) -> None:
    """Take this package's losses and connectors of the same name, where they take the same arguments."""
    distiller = config['model'].get('distiller') or {}
    for part in ('distill_losses', 'connectors'):
        for one in (distiller.get(part) or {}).values():
            name = f'icckd_mm.{one["type"].rpartition(".")[2]}'
            found = OWN.get(name.partition('.')[2]) if MODELS.get(name) is not None else None
            if found is None:
                continue
            taken = inspect.signature(found).parameters
            if 'sample_n' in taken:
                kind = config['train_dataloader']['dataset']['type'].rpartition('.')[2]
                one['sample_n'] = TRAIN_IMAGES.get(kind, 50_000)
            if set(one) - {'type', '_scope_'} <= set(taken):
                one['type'] = name
