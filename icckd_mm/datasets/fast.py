"""A config cut down to a trial run of a minute or two on a CPU."""

from __future__ import annotations

import logging
import os
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from .folders import check_data_folder

EPOCHS, BATCH, TRAIN_IMAGES, VAL_IMAGES = 2, 4, 16, 8
SIZES = {'CIFAR10': 32, 'CIFAR100': 32, 'TinyImageNet': 64, 'ImageNet': 224}
LOADERS = {'train_dataloader': TRAIN_IMAGES, 'val_dataloader': VAL_IMAGES, 'test_dataloader': VAL_IMAGES}


def fast_options(cfg: Config) -> dict[str, Any]:
    """What cuts a config down to two epochs of four steps of four images, for ``cfg.merge_from_dict``.

    The schedule shrinks with the epochs. Where the data are not at hand, random noise of their size and number of classes takes
    their place, and where the checkpoint of a teacher or of ``load_from`` is not at hand, the network stays at its random
    start; both are said in the log. It shows that the config works, and nothing about accuracy. Logs and checkpoints go to the
    folder ``fast`` of the work dir, so that they touch nothing that was trained in earnest.

    Args:
        cfg (Config): A complete config; left as it is.

    Returns:
        dict: Dotted keys and their values.

    Raises:
        ValueError: If the data are not at hand and their size is not known.
    """
    options: dict[str, Any] = {'train_cfg.max_epochs': EPOCHS, 'train_cfg.val_interval': 1, 'default_hooks.logger.interval': 1}
    options['work_dir'] = os.path.join(cfg.get('work_dir') or 'work_dirs', 'fast')
    for field, images in LOADERS.items():
        if cfg.get(field):
            options.update({f'{field}.batch_size': BATCH, f'{field}.num_workers': 0, f'{field}.persistent_workers': False})
            options.update(_few_images(cfg, field, images))
    if cfg.get('param_scheduler'):
        options['param_scheduler'] = _shrunk(cfg.param_scheduler, EPOCHS / cfg.train_cfg.max_epochs)
    for key, file in {'load_from': cfg.get('load_from'), 'model.teacher_ckpt': cfg.model.get('teacher_ckpt')}.items():
        if file and '://' not in file and not os.path.isfile(os.path.expanduser(file)):
            print_log(f'{key}: {file} is not there yet; its network stays RANDOM in this trial run', 'current', logging.WARNING)
            options[key] = None
    return options


def _few_images(cfg: Config, field: str, images: int) -> dict[str, Any]:
    """The first few images of a loader's data set, or as many of noise."""
    dataset = cfg[field].dataset
    try:
        check_data_folder(dataset)
    except ValueError as error:
        inner = dataset
        while 'dataset' in inner:
            inner = inner.dataset
        kind = inner.type.rsplit('.', 1)[-1]
        if kind not in SIZES:
            raise ValueError(f'{error}; noise can stand in for {", ".join(SIZES)} only') from None
        print_log(f'{field}: {error}. RANDOM NOISE stands in for it in this trial run', 'current', logging.WARNING)
        noise = {
            '_delete_': True,
            'type': 'icckd_mm.RandomImages',
            'num_images': images,
            'size': SIZES[kind],
            'num_classes': cfg.model.get('architecture', cfg.model).head.num_classes,
            'pipeline': [step for step in inner.pipeline if not step['type'].endswith('LoadImageFromFile')],
            'test_mode': inner.get('test_mode', False),
        }
        return {f'{field}.dataset': noise}
    return {f'{field}.dataset.indices': images}


def _shrunk(scheduler: Any, factor: float) -> Any:
    """The schedulers with every time multiplied by ``factor``, no less than one epoch."""
    if isinstance(scheduler, (list, tuple)):
        return [_shrunk(one, factor) for one in scheduler]
    shrunk = dict(scheduler)
    for key in ('T_max', 'begin', 'end'):
        if shrunk.get(key):
            shrunk[key] = max(1, round(shrunk[key] * factor))
    if 'milestones' in shrunk:
        shrunk['milestones'] = sorted({max(1, round(time * factor)) for time in shrunk['milestones']})
    return shrunk
