"""Makes a config that needs only mmpretrain (and this package, if the network is ours)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from mmengine.config import Config

from icckd_mm.config.registered import check_registered
from icckd_mm.datasets.wrappers.nesting import innermost_configs
from icckd_mm.plain_text import plain

from .network import Network

KEPT = ('mean', 'std', 'to_rgb', 'pad_size_divisor', 'pad_value')  # keys of the data preprocessor; the others are for training
STORED_SIZE = {'CIFAR10': 32, 'CIFAR100': 32, 'TinyImageNet': 64}
USUAL_SIZE = 224


def standalone_config(network: Network) -> Config:
    """Model, data preprocessor, test pipeline and evaluator of a network, without ``_base_`` and without training.

    A test pipeline that relies on the size of the stored images gets a ``Resize`` to that size, which leaves those images
    unchanged: a user's image may have any size. A wrapper around the data set is dropped together with the evaluator:
    mmpretrain's inferencer reads the pipeline of the data set itself.

    Args:
        network: From :func:`icckd_mm.zoo.network.take_network`.

    Returns:
        A plain mmpretrain config, of registered classes only.

    Raises:
        ValueError: If the run's config does not describe a classifier, or is refused by :func:`check_registered`.
    """
    try:
        config = _parts(network)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            f'the config in {network.checkpoint} does not describe a classifier and its test data ({plain(repr(error))}); '
            'take a checkpoint of tools/train.py'
        ) from None
    return Config(check_registered(config, str(network.checkpoint)))


def _parts(network: Network) -> dict[str, Any]:
    run = network.config
    model = deepcopy(network.model)
    model.pop('_scope_', None)  # default_scope sets it
    model.pop('init_cfg', None)
    model.get('backbone', {}).pop('init_cfg', None)  # may name a file of the run
    if 'loss' in model.get('head', {}):
        model['head']['loss'] = {'type': 'CrossEntropyLoss'}  # also if it was trained with another one
    model.pop('train_cfg', None)
    model['data_preprocessor'] = _single_view(run, model)
    config = {'default_scope': 'mmpretrain', 'model': model, 'data_preprocessor': model['data_preprocessor']}
    if run.get('test_dataloader'):
        config.update(_test_part(run.to_dict()))
    return config


def image_size(config: Config) -> int:
    """Side in pixels of the images that the test pipeline gives."""
    size = _stored_size(config.get('test_dataloader', {}).get('dataset', {})) or USUAL_SIZE
    for step in config.get('test_dataloader', {}).get('dataset', {}).get('pipeline', []):
        size = int(np.max(step.get('crop_size') or step.get('scale') or size))
    return size


def channel_order(config: Config) -> str:
    """Colour order of the images of the data set: CIFAR is stored as RGB, files are read as BGR."""
    return 'RGB' if 'CIFAR' in str(config.get('test_dataloader', {}).get('dataset', {}).get('type', '')) else 'BGR'


def _single_view(run: Config, model: dict[str, Any]) -> dict[str, Any]:
    """The preprocessor for one view of each image; that of a distillation is valid for its student."""
    used = run.model.get('data_preprocessor') or run.get('data_preprocessor') or model.get('data_preprocessor') or {}
    return {'type': 'ClsDataPreprocessor', **{key: deepcopy(used[key]) for key in KEPT if key in used}}


def _test_part(run: dict[str, Any]) -> dict[str, Any]:
    loader = deepcopy(run['test_dataloader'])
    inner = innermost_configs(loader['dataset'])[0]
    wrapped = inner is not loader['dataset']
    loader['dataset'] = inner
    pipeline = list(loader['dataset'].get('pipeline') or [])
    size = _stored_size(loader['dataset'])
    if size and not any(key in step for step in pipeline for key in ('scale', 'crop_size')):
        after_loading = int(bool(pipeline) and pipeline[0]['type'].startswith('LoadImage'))
        pipeline.insert(after_loading, {'type': 'Resize', 'scale': (size, size)})
    loader['dataset']['pipeline'] = pipeline
    part = {'test_dataloader': loader}
    evaluators = run.get('test_evaluator') or []
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    plain = [one for one in evaluators if not str(one.get('type')).startswith(('icckd_mm.', 'mmrazor.'))]
    if plain and not wrapped:
        part['test_evaluator'] = deepcopy(plain)
        part['test_cfg'] = {}  # the loop of a distillation would look for a teacher
    return part


def _stored_size(dataset: dict[str, Any]) -> int | None:
    """Side of a data set's images if all are stored in one size."""
    kind = str(dataset.get('type', '')).rsplit('.', 1)[-1]
    return dataset.get('scale') or dataset.get('size') or STORED_SIZE.get(kind)
