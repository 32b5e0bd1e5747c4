"""Applies a plan's changes to the configs of its runs: options, networks, data sets and the number of images."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from icckd_mm.config.loss_place import loss_key
from icckd_mm.lab.experiment.plan import Cell, Plan
from icckd_mm.lab.experiment.recipe import Recipe, read_config_once

FILES = ('CustomDataset', 'TinyImageNet', 'ImageNet')  # they list image files class by class
LOAD = {'type': 'LoadImageFromFile'}
EVEN = 'icckd_mm.even_subset'
TRAIN = 'train_dataloader.dataset'


def configs_of(plan: Plan, data: str) -> str:
    """The data set that a data set of the plan replaces, as in the names of the configs; any other data set itself."""
    return plan.datasets[data]['configs'] if data in plan.datasets else data


def with_overrides(plan: Plan, cell: Cell, recipe: Recipe) -> Recipe:
    """Apply the overrides of a plan to a recipe.

    Args:
        plan: The plan.
        cell: One of ``plan.cells()``.
        recipe: A recipe for the configs of :func:`configs_of`.

    Returns:
        The recipe with the plan's networks, options and data: the data set of the cell with the config's own augmentation and
        the cell's number of images. Options of the plan have precedence. Images that are sorted by class are taken
        evenly from all classes.
    """
    options = {
        **recipe.options,
        **_size_options(plan, cell, recipe),
        **_network_options(plan, recipe),
        **_own_options(plan, recipe),
    }
    if cell['data'] in plan.datasets:
        options = {**_data_options(plan.datasets[cell['data']], recipe), **options}
    elif _sees_one_view(recipe):
        pipeline = read_config_once(recipe.config).train_dataloader.dataset.pipeline
        options = {f'{TRAIN}.pipeline': one_view(pipeline), **options}
    options = _inner_pipeline(options)
    if recipe.stage == 'teacher' and recipe.factors.get('positive') == 'strong':
        options = _strong_view(recipe.config, options)
    if cell['images'] is not None:
        options = _some_images(recipe.config, options, cell['images'])
    parent = recipe.parent and with_overrides(plan, cell, recipe.parent)
    return replace(recipe, options=options, factors={**recipe.factors, 'data': cell['data']}, parent=parent)


def one_view(pipeline: Sequence[Mapping[str, Any]]) -> list[Any]:
    """A pipeline of several views as a single-view pipeline: the augmentation replaces its ``MultiView``."""
    found: list[Any] = []
    for step in pipeline:
        found += copy.deepcopy(step['transforms'][0]) if step['type'] == 'MultiView' else [copy.deepcopy(step)]
    return found


def _own_options(plan: Plan, recipe: Recipe) -> dict[str, Any]:
    """The options of the plan that apply to a run; later ones win."""
    places = dict.fromkeys(('all', recipe.stage, recipe.method))
    return {key: value for place in places for key, value in plan.options.get(place, {}).items()}


def _network_options(plan: Plan, recipe: Recipe) -> dict[str, Any]:
    """The options of the plan for the networks, under their keys in the config."""
    if recipe.stage == 'teacher':
        places = {'teacher': 'model'}
    elif recipe.parent is None:
        places = {'student': 'model'}
    else:
        places = {'teacher': 'model.teacher', 'student': 'model.architecture'}
    return {f'{place}.{key}': value for role, place in places.items() for key, value in plan.networks.get(role, {}).items()}


def _size_options(plan: Plan, cell: Cell, recipe: Recipe) -> dict[str, Any]:
    """The sizes that CRD and subclasses need: images of a memory, classes, and widths of the features they compare."""
    options: dict[str, Any] = {}
    entry = plan.datasets.get(cell['data'])
    if recipe.method == 'mcmi' and recipe.stage == 'teacher' and entry:
        options[f'model.{loss_key(read_config_once(recipe.config).model)}.num_classes'] = entry['num_classes']
    if recipe.parent is None or recipe.stage == 'teacher':
        return options
    widths = {role: plan.networks.get(role, {}).get('head.in_channels') for role in ('student', 'teacher')}
    methods, losses = recipe.method.split('-'), 'model.distiller.distill_losses'
    if 'crd' in methods:
        if cell['images'] is not None:
            options[f'{losses}.loss_crd.sample_n'] = cell['images']
        found = {role: width for role, width in widths.items() if width is not None}
        options.update({f'model.distiller.connectors.crd_{role}.dim_in': width for role, width in found.items()})
    if methods[0] in ('subclass', 'lelp'):
        if widths['teacher'] is not None:
            options[f'{losses}.loss_subclass.feat_dims'] = widths['teacher']
        if entry:
            options[f'{losses}.loss_subclass.num_classes'] = entry['num_classes']
    return options


def _inner_pipeline(options: dict[str, Any]) -> dict[str, Any]:
    """The options with a pipeline for a whole data set moved into the data set inside its wrappers, which applies it."""
    from icckd_mm.datasets.wrappers.nesting import innermost_configs  # heavy

    key = f'{TRAIN}.pipeline'
    dataset = options.get(TRAIN)
    if key not in options or not isinstance(dataset, dict) or innermost_configs(dataset) == [dataset]:
        return options
    dataset = copy.deepcopy(dataset)
    for inner in innermost_configs(dataset):
        inner['pipeline'] = copy.deepcopy(options[key])
    return {**{name: value for name, value in options.items() if name != key}, TRAIN: dataset}


def _strong_view(config: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options with a strong second view in the training pipeline."""
    from icckd_mm.datasets.strong_view import with_strong_positive  # heavy
    from icckd_mm.datasets.wrappers.nesting import innermost_config

    about_data = {key: value for key, value in options.items() if f'{key}.'.startswith(f'{TRAIN}.')}
    cfg = copy.deepcopy(read_config_once(config))
    cfg.merge_from_dict(copy.deepcopy(about_data))
    pipeline = with_strong_positive(innermost_config(cfg.train_dataloader.dataset.to_dict())['pipeline'])
    return _inner_pipeline({**options, f'{TRAIN}.pipeline': pipeline})


def _sees_one_view(recipe: Recipe) -> bool:
    from icckd_mm.teacher.second_views import SECOND_VIEWS  # heavy

    second_view = recipe.factors.get('second_view')
    return recipe.stage == 'teacher' and second_view is not None and SECOND_VIEWS[second_view].loader_views == 1


def _data_options(entry: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    from icckd_mm.datasets.wrappers.nesting import innermost_config  # heavy

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
    options.update(dict.fromkeys(_class_counts(recipe, cfg.model), entry['num_classes']))
    options.update({f'data_preprocessor.{name}': value for name, value in entry.get('data_preprocessor', {}).items()})
    return options


def _class_counts(recipe: Recipe, model: Mapping[str, Any]) -> list[str]:
    """Keys of the number of classes of each network of a run."""
    if recipe.stage == 'teacher' or recipe.parent is None:
        networks = {'model': model.get('architecture', model)}  # a student alone may have the config of its distillation
    else:
        networks = {f'model.{role}': model[role] for role in ('architecture', 'teacher')}
    return [f'{place}.{loss_key(network).removesuffix("loss")}num_classes' for place, network in networks.items()]


def _some_images(config: str, options: dict[str, Any], images: int) -> dict[str, Any]:
    """The options with a choice of training images, applied after the plan's options for the data set itself."""
    from icckd_mm.datasets.wrappers.nesting import innermost_config  # heavy

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
