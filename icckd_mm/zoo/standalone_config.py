"""A config that needs nothing but mmpretrain (and this package, where the network is ours)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from mmengine.config import Config

from .network import Network

TEST = ('test_dataloader', 'test_cfg', 'test_evaluator')


def standalone_config(network: Network) -> Config:
    """Model, data preprocessor, test pipeline and evaluator of a network, without ``_base_`` and without training.

    Args:
        network (Network): From :func:`icckd_mm.zoo.network.take_network`.

    Returns:
        Config: A plain mmpretrain config.
    """
    run = network.config
    model = deepcopy(network.model)
    model.pop('_scope_', None)  # default_scope says it
    model.pop('init_cfg', None)
    if 'loss' in model.get('head', {}):
        model['head']['loss'] = {'type': 'CrossEntropyLoss'}  # whatever it was trained with
    model['data_preprocessor'] = _single_view(model.get('data_preprocessor') or run.get('data_preprocessor') or {})
    config = {'default_scope': 'mmpretrain', 'model': model, 'data_preprocessor': model['data_preprocessor']}
    for name in TEST:
        if run.get(name) is not None:
            config[name] = run[name].to_dict() if hasattr(run[name], 'to_dict') else deepcopy(run[name])
    if 'test_evaluator' in config:
        config['test_cfg'] = {}  # the loop of a distillation would look for a teacher
    return Config(config)


def _single_view(preprocessor: dict[str, Any]) -> dict[str, Any]:
    """The preprocessor of a stranger sees one view of each image."""
    plain = dict(preprocessor)
    plain['type'] = 'ClsDataPreprocessor'
    return plain
