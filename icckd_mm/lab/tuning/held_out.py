"""Configs that evaluate on images held out from the training set, and never read the test set."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.config import Config, ConfigDict

PART = 'icckd_mm.held_out_part'
HOOK = 'IntraClassContrastHook'
LABEL_MAPS = ('ClassMap', 'CoarseLabels')  # wrappers that keep each image once


def held_out_config(cfg: Config, fraction: float, seed: int, epochs: int) -> Config:
    """The config of a trial.

    Args:
        cfg: A complete config; not changed.
        fraction: Share of the training set that is held out.
        seed: Seed of the split.
        epochs: Length of the run; its schedule is shortened in proportion.

    Returns:
        A config that trains on the rest of the training set, validates once, at the end, on the held-out part with the
        pipeline of the original validation, and has no test set.

    Raises:
        ValueError: If the config has no epochs, no suitable data set, or no validation whose pipeline can be used.
    """
    from icckd_mm.config.fast import shrunk_schedule  # heavy
    from icckd_mm.datasets.wrappers.nesting import innermost_config

    check_trainable(cfg)
    made = copy.deepcopy(cfg)
    factor = epochs / cfg.train_cfg.max_epochs
    made.train_cfg.update(max_epochs=epochs, val_begin=1, val_interval=epochs)
    made.train_cfg.pop('dynamic_intervals', None)
    if made.get('param_scheduler'):
        made.param_scheduler = shrunk_schedule(made.param_scheduler, factor)
    for hook in made.get('custom_hooks') or []:
        if str(hook.type).endswith(HOOK) and hook.get('by_epoch', True):
            hook.update({name: hook[name] * factor for name in ('begin', 'warmup') if name in hook})
    dataset = made.train_dataloader.dataset
    loader = made.get('val_dataloader') or made.test_dataloader
    pipeline = innermost_config(loader.dataset).pipeline
    shown = copy.deepcopy(dataset)
    innermost_config(shown).pipeline = pipeline
    loader.dataset = _part(shown, fraction, seed, held_out=True)
    evaluator = made.get('val_evaluator') or made.get('test_evaluator')
    made.update(val_dataloader=loader, val_evaluator=evaluator, val_cfg=made.get('val_cfg') or {})
    made.train_dataloader.dataset = _part(dataset, fraction, seed, held_out=False)
    made.update(test_dataloader=None, test_evaluator=None, test_cfg=None)
    return made


def check_trainable(cfg: Config) -> None:
    """Refuse a config that cannot be split, see :func:`held_out_config`."""
    if not isinstance((cfg.get('train_cfg') or {}).get('max_epochs'), int):
        raise ValueError(f'tuning shortens runs, so train_cfg needs max_epochs, got {cfg.get("train_cfg")}')
    if not (cfg.get('train_dataloader') or {}).get('dataset'):
        raise ValueError('the config has no train_dataloader with a dataset; add one, of which a part can be held out')
    dataset = cfg.train_dataloader.dataset
    is_map = str(dataset.get('type')).rsplit('.', 1)[-1] in LABEL_MAPS
    inner = [key for key in ('dataset', 'datasets') if key in dataset]
    if inner and not is_map:
        raise ValueError(
            f'train_dataloader.dataset is the wrapper {dataset.get("type")}; only {" and ".join(LABEL_MAPS)} can be split: '
            f'use the data set in its {inner[0]} itself'
        )
    if is_map and dataset.get('indices') is not None:
        raise ValueError(
            f'indices of {dataset.type} are applied after the split, and would select other images; '
            'set indices of the data set in it'
        )
    if not cfg.get('val_dataloader') and not cfg.get('test_dataloader'):
        raise ValueError('the config has neither val_dataloader nor test_dataloader; add one for the pipeline of evaluation')


def check_same_images(teacher: Config, student: Config) -> None:
    """Refuse a teacher that would train on images held out from its student.

    Raises:
        ValueError: If the training sets differ in more than their pipelines.
    """
    from icckd_mm.datasets.wrappers.nesting import innermost_config  # heavy

    first, second = (copy.deepcopy(cfg.train_dataloader.dataset) for cfg in (teacher, student))
    for dataset in (first, second):
        innermost_config(dataset).pipeline = None
    different = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    if different:
        raise ValueError(
            f'train_dataloader.dataset of teacher and student differ in {", ".join(different)}, so the teacher could see '
            'held-out images; make them equal, e.g. with --cfg-options, which apply to both'
        )


def part_sizes(cfg: Config) -> tuple[int, int]:
    """Numbers of training and held-out images of a config of :func:`held_out_config`; reads the training set twice."""
    from mmengine.registry import DefaultScope

    from icckd_mm.datasets.held_out import held_out_part  # heavy

    sizes = []
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        for name in ('train_dataloader', 'val_dataloader'):
            part = cfg[name].dataset
            sizes.append(len(held_out_part(part.dataset, part.fraction, part.seed, part.held_out)))
    return sizes[0], sizes[1]


def contrast_hook(cfg: Config) -> tuple[int, Any]:
    """The hook of the intra-class contrastive loss in a teacher's config.

    Returns:
        Its index in ``custom_hooks``, and its config.

    Raises:
        ValueError: If there is none.
    """
    for index, hook in enumerate(cfg.get('custom_hooks') or []):
        if str(hook.get('type')).endswith(HOOK):
            return index, hook
    raise ValueError(f'custom_hooks of the teacher has no {HOOK}, so there is nothing to tune; set another --teacher')


def _part(dataset: Any, fraction: float, seed: int, held_out: bool) -> ConfigDict:
    return ConfigDict(type=PART, dataset=dataset, fraction=fraction, seed=seed, held_out=held_out)
