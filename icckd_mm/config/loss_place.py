"""Where the config of a classifier holds its loss: in its head, or beside it in a network without one, as of timm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def loss_config(model: Mapping[str, Any]) -> Any:
    """The dict of a classifier's config that holds ``loss`` and ``num_classes``: its head, or itself without one.

    Example:
        >>> loss_config(dict(type='ImageClassifier', head=dict(num_classes=3)))
        {'num_classes': 3}
    """
    return model['head'] if model.get('head') else model


def loss_key(model: Mapping[str, Any]) -> str:
    """Dotted key of the loss in a classifier's config.

    Example:
        >>> loss_key(dict(head=dict(num_classes=3))), loss_key(dict(model_name='resnet18'))
        ('head.loss', 'loss')
    """
    return 'head.loss' if loss_config(model) is not model else 'loss'


def loss_state(model: Mapping[str, Any]) -> str:
    """What the names of a loss's own tensors begin with in a checkpoint, as the class means of MCMI.

    Example:
        >>> loss_state(dict(head=dict(num_classes=3)))
        'head.loss_module.'
    """
    return f'{loss_key(model)}_module.'
