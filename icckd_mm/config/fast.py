"""Reduces a config to a trial run of a minute or two on a CPU."""

from __future__ import annotations

import logging
import os
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader

from icckd_mm.config.loss_place import loss_config
from icckd_mm.datasets.files.folders import check_data_folder
from icckd_mm.datasets.wrappers.nesting import common_pipeline, innermost_configs

EPOCHS, BATCH, TRAIN_IMAGES, VAL_IMAGES = 2, 4, 16, 8
SIZES = {'CIFAR10': 32, 'CIFAR100': 32, 'TinyImageNet': 64, 'ImageNet': 224}
LOADERS = {'train_dataloader': TRAIN_IMAGES, 'val_dataloader': VAL_IMAGES, 'test_dataloader': VAL_IMAGES}


def fast_options(cfg: Config) -> dict[str, Any]:
    """Options for ``cfg.merge_from_dict`` that reduce a config to two epochs of four steps of four images.

    The schedule shrinks with the epochs. Missing data are replaced by random noise of their size and number of classes; a
    network whose checkpoint is missing keeps its random weights. The log reports both. A trial run shows that the config
    works, and nothing about accuracy. Logs and checkpoints go to the folder ``fast`` of the work dir, so they overwrite
    nothing.

    Args:
        cfg: A complete config; not changed.

    Returns:
        Dotted keys and their values.

    Raises:
        ValueError: If the data are missing and their size is unknown.
    """
    options: dict[str, Any] = {'train_cfg.max_epochs': EPOCHS, 'train_cfg.val_interval': 1, 'default_hooks.logger.interval': 1}
    options['work_dir'] = os.path.join(cfg.get('work_dir') or 'work_dirs', 'fast')
    for field, images in LOADERS.items():
        if cfg.get(field):
            options[f'{field}.batch_size'] = BATCH
            if 'type' not in cfg[field]:  # a DeviceLoader has no workers
                options.update({f'{field}.num_workers': 0, f'{field}.persistent_workers': False})
            options.update(_few_images(cfg, field, images))
    if cfg.get('param_scheduler'):
        options['param_scheduler'] = shrunk_schedule(cfg.param_scheduler, EPOCHS / cfg.train_cfg.max_epochs)
    return {**options, **without_missing_checkpoints(cfg)}


def without_missing_checkpoints(cfg: Config) -> dict[str, Any]:
    """Options for ``cfg.merge_from_dict`` that replace missing checkpoints by random networks.

    Args:
        cfg: A complete config; not changed.

    Returns:
        Dotted keys and their values; empty where nothing is missing.
    """
    options: dict[str, Any] = {}
    for key, files in named_checkpoints(cfg).items():
        there = [file if is_at_hand(file) else None for file in files]
        if None not in there:
            continue
        missing = ', '.join(file for file in files if file not in there)
        print_log(f'{key}: {missing} does not exist; its network stays RANDOM', 'current', logging.WARNING)
        if key.endswith('.init_cfg.checkpoint'):
            key = key[: -len('.checkpoint')]
        options[key] = there if key.endswith('ckpts') else None
        if key.startswith('model.teacher') and cfg.model.type.startswith('icckd_mm.'):
            options['model.allow_random_teacher'] = True
    return options


def named_checkpoints(cfg: Config) -> dict[str, list[str]]:
    """The checkpoints that a config starts from.

    Args:
        cfg: A complete config.

    Returns:
        Files or addresses by dotted key, of those that are set.
    """
    model = _dict(cfg.get('model'))
    named = {'load_from': [cfg.get('load_from')]}
    named.update({f'model.{key}': [model.get(key)] for key in ('teacher_ckpt', 'student_ckpt')})
    named['model.teacher.teacher_ckpts'] = list(_dict(model.get('teacher')).get('teacher_ckpts') or [])
    for name, teacher in _dict(model.get('teachers')).items():
        named[f'model.teachers.{name}.ckpt_path'] = [_dict(teacher).get('ckpt_path')]
    for place, part in (('model', model), *((f'model.{name}', model.get(name)) for name in ('architecture', 'distiller'))):
        named[f'{place}.init_cfg.checkpoint'] = [_dict(_dict(part).get('init_cfg')).get('checkpoint')]
    return {key: [file for file in files if file] for key, files in named.items() if any(files)}


def _dict(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def is_at_hand(checkpoint: str) -> bool:
    """Whether a checkpoint is a file that exists, or an address, which only loading can check."""
    return is_address(checkpoint) or os.path.isfile(os.path.expanduser(checkpoint))


def is_address(checkpoint: str) -> bool:
    """Whether mmengine can load a checkpoint from elsewhere than a path, such as ``https://``; it cannot from ``file://``."""
    return '://' in checkpoint and CheckpointLoader._get_checkpoint_loader(checkpoint).__name__ != 'load_from_local'


def _few_images(cfg: Config, field: str, images: int) -> dict[str, Any]:
    """A few images of a loader's data set, or as many images of noise."""
    dataset = cfg[field].dataset
    try:
        check_data_folder(dataset)
    except ValueError as error:
        inner = innermost_configs(dataset)[0]
        kind = inner.type.rsplit('.', 1)[-1]
        if kind not in SIZES or any(one.type != inner.type for one in innermost_configs(dataset)):
            raise ValueError(f'{error}; noise can replace {", ".join(SIZES)} only') from None
        print_log(f'{field}: {error}. this trial run uses RANDOM NOISE instead', 'current', logging.WARNING)
        noise = {
            '_delete_': True,
            'type': 'icckd_mm.RandomImages',
            'num_images': images,
            'size': SIZES[kind],
            'num_classes': loss_config(cfg.model.get('architecture', cfg.model)).num_classes,
            'pipeline': [step for step in common_pipeline(dataset) if not step['type'].endswith('LoadImageFromFile')],
            'test_mode': inner.get('test_mode', False),
        }
        return {f'{field}.dataset': noise}
    few = {'_delete_': True, 'type': 'icckd_mm.EvenPlaces', 'dataset': dataset.to_dict(), 'images': images}
    return {f'{field}.dataset': few}


def shrunk_schedule(scheduler: Any, factor: float) -> Any:
    """The schedulers with every time multiplied by ``factor``, no less than one epoch."""
    if isinstance(scheduler, (list, tuple)):
        return [shrunk_schedule(one, factor) for one in scheduler]
    shrunk = dict(scheduler)
    for key in ('T_max', 'begin', 'end'):
        if shrunk.get(key):
            shrunk[key] = max(1, round(shrunk[key] * factor))
    if 'milestones' in shrunk:
        shrunk['milestones'] = sorted({max(1, round(time * factor)) for time in shrunk['milestones']})
    return shrunk
