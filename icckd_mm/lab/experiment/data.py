"""The data of a cell: data sets that a plan brings along, and how many of their images."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from icckd_mm.lab.experiment.plan import Cell, Plan
from icckd_mm.lab.experiment.recipe import Recipe, read_config_once

FILES = ('CustomDataset', 'TinyImageNet', 'ImageNet')  # they read image files, class after class
LOAD = {'type': 'LoadImageFromFile'}
EVEN = 'icckd_mm.datasets.even_subset.even_subset'
TRAIN = 'train_dataloader.dataset'
ONE_VIEW = 'bank'  # the second view that is no view, but the image's feature of the last epoch


def configs_of(plan: Plan, data: str) -> str:
    """The data set that a data set of the plan replaces, as in the names of the configs; any other is its own."""
    return plan.datasets[data]['configs'] if data in plan.datasets else data


def with_data(plan: Plan, cell: Cell, recipe: Recipe) -> Recipe:
    """Put the data of a cell into a recipe.

    Args:
        plan (Plan): The plan.
        cell (Cell): One of ``plan.cells()``.
        recipe (Recipe): One for the configs of :func:`configs_of`, without data and images.

    Returns:
        Recipe: The same with the data set of the cell under the config's own augmentation, and with so many images. Options of
        the plan have precedence. Images that come class after class are spread evenly over the classes.
    """
    options = dict(recipe.options)
    if cell['data'] in plan.datasets:
        options = {**_data_options(plan.datasets[cell['data']], recipe), **options}
    elif _sees_one_view(recipe):
        pipeline = read_config_once(recipe.config).train_dataloader.dataset.pipeline
        options = {f'{TRAIN}.pipeline': one_view(pipeline), **options}
    if cell['images'] is not None:
        options = _some_images(recipe.config, options, cell['images'])
    parent = recipe.parent and with_data(plan, cell, recipe.parent)
    return replace(recipe, options=options, factors={**recipe.factors, 'data': cell['data']}, parent=parent)


def one_view(pipeline: Sequence[Mapping[str, Any]]) -> list[Any]:
    """A pipeline of several views as one of a single view: the augmentation replaces its ``MultiView``."""
    found: list[Any] = []
    for step in pipeline:
        found += copy.deepcopy(step['transforms'][0]) if step['type'] == 'MultiView' else [copy.deepcopy(step)]
    return found


def _sees_one_view(recipe: Recipe) -> bool:
    return recipe.stage == 'teacher' and recipe.factors.get('second_view') == ONE_VIEW


def _data_options(entry: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    from icckd_mm.datasets.nesting import innermost_config  # heavy

    cfg = read_config_once(recipe.config)
    options: dict[str, Any] = {}
    for part, loaders in (('train', ('train',)), ('test', ('val', 'test'))):
        dataset = copy.deepcopy(entry[part])
        inner = innermost_config(dataset)
        pipeline = copy.deepcopy(innermost_config(cfg[f'{loaders[0]}_dataloader'].dataset).pipeline)
        if part == 'train' and _sees_one_view(recipe):
            pipeline = one_view(pipeline)
        if _kind(inner) in FILES and pipeline[0]['type'] != LOAD['type']:
            pipeline.insert(0, dict(LOAD))
        inner.setdefault('pipeline', pipeline)
        for loader in loaders:
            options[f'{loader}_dataloader.dataset'] = {'_delete_': True, **dataset}
    classifiers = ('model',) if recipe.stage == 'teacher' or recipe.parent is None else ('model.architecture', 'model.teacher')
    options.update({f'{classifier}.head.num_classes': entry['num_classes'] for classifier in classifiers})
    options.update({f'data_preprocessor.{name}': value for name, value in entry.get('data_preprocessor', {}).items()})
    return options


def _some_images(config: str, options: dict[str, Any], images: int) -> dict[str, Any]:
    """The options with a choice of training images; what the plan says of the data set itself holds before that."""
    from icckd_mm.datasets.nesting import innermost_config  # heavy

    about_data = {key: value for key, value in options.items() if f'{key}.'.startswith(f'{TRAIN}.')}
    cfg = copy.deepcopy(read_config_once(config))
    cfg.merge_from_dict(copy.deepcopy(about_data))
    dataset = cfg.train_dataloader.dataset.to_dict()
    if _kind(innermost_config(dataset)) not in FILES:
        return {**options, f'{TRAIN}.indices': options.get(f'{TRAIN}.indices', images)}
    others = {key: value for key, value in options.items() if key not in about_data}
    return {**others, TRAIN: {'_delete_': True, 'type': EVEN, 'dataset': dataset, 'images': images}}


def _kind(dataset: Mapping[str, Any]) -> str:
    return str(dataset['type']).rsplit('.', 1)[-1]
