"""What a student's own config says about the images: taken over by the distillation, or refused; nothing is dropped."""

from __future__ import annotations

import inspect
from typing import Any

from mmpretrain.models import ClsDataPreprocessor
from torch import nn

from .wiring import class_count

COMPARED = ('pad_size_divisor', 'pad_value', 'to_onehot', 'to_rgb', 'num_classes')
USUAL = 'mmpretrain.ClsDataPreprocessor'


def typed_preprocessor(config: Any) -> Any:
    """A config of a data preprocessor with its type, which mmpretrain's classifiers let out.

    Args:
        config: A dict, a module, or None.
    """
    return {'type': USUAL, **config} if isinstance(config, dict) else config


def adopt_student_settings(ours: Any, student: Any) -> None:
    """Let the preprocessor of a distillation do what the student's own would: it alone sees the batches.

    Mixup and its like move over, so that both networks get the mixed images.

    Args:
        ours: The preprocessor of the algorithm; changed in place.
        student: The student.

    Raises:
        ValueError: If the student's asks for something else that would have no effect.
    """
    theirs = getattr(student, 'data_preprocessor', None)
    if theirs is None or theirs is ours:
        return
    _check_kept(ours, theirs)
    mixing = getattr(theirs, 'batch_augments', None)
    if mixing is None:
        return
    own = getattr(ours, 'batch_augments', None)
    if own is not None and own.__dict__ != mixing.__dict__:
        raise ValueError(
            'architecture.train_cfg.augments and data_preprocessor.batch_augments of the distillation differ; keep one of them'
        )
    if type(ours) is not ClsDataPreprocessor:
        raise ValueError(
            f'architecture.train_cfg.augments mixes images, which {type(ours).__name__} cannot; remove it, or set '
            f"data_preprocessor.type='{USUAL}'"
        )
    ours.batch_augments, ours.to_onehot = mixing, True
    ours.num_classes = ours.num_classes or theirs.num_classes or class_count(student)


def refuse_mixing(student: nn.Module, why: str) -> None:
    """Raise ``ValueError`` if a student's config mixes images where that has no effect."""
    if getattr(getattr(student, 'data_preprocessor', None), 'batch_augments', None) is not None:
        raise ValueError(f'architecture.train_cfg.augments has no effect: {why}; remove it')


def _check_kept(ours: Any, theirs: Any) -> None:
    """Raise where the student's preprocessor says what ours does not do; values of mean and std are compared elsewhere."""
    if type(theirs) not in (ClsDataPreprocessor, type(ours)):
        raise ValueError(
            f'architecture.data_preprocessor is a {type(theirs).__name__}, but the distillation prepares images with a '
            f'{type(ours).__name__}; set model.data_preprocessor, and leave it out of the student'
        )
    usual = inspect.signature(ClsDataPreprocessor).parameters
    mixes = getattr(theirs, 'batch_augments', None) is not None
    for name in COMPARED:
        if mixes and name in ('to_onehot', 'num_classes'):
            continue  # mixing sets them
        asked = getattr(theirs, name, usual[name].default)
        if asked != usual[name].default and asked != getattr(ours, name, usual[name].default):
            raise ValueError(
                f'architecture.data_preprocessor.{name}={asked!r} has no effect: the distillation prepares the images; '
                f'set model.data_preprocessor.{name}'
            )
    if getattr(theirs, '_enable_normalize', False) and not hasattr(ours, 'mean'):
        raise ValueError(
            'architecture.data_preprocessor normalises images, but the distillation prepares them and does not; move mean and '
            'std to model.data_preprocessor'
        )
