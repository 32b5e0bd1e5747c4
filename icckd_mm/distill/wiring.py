"""Checks recorders, arguments of losses, weights and both models of a distiller before the first image."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from icckd_mm.engine.classifier_layers import takes_several_labels
from icckd_mm.functional.tensor.number_checks import check_weight

EMPTY = inspect.Parameter.empty
SOFTMAX = (  # losses on logits of one class for each image; the last two of mmrazor alone
    'KLDivergence',
    'KDSoftCELoss',
    'DKDLoss',
    'HardLabelLoss',
    'TransformedTeacherLoss',
    'CurriculumKLDivergence',
    'MultiLevelLogitLoss',
    'OFALoss',
    'NKDLoss',
    'USKDLoss',
    'WassersteinLogitLoss',
    'SDDKLDivergence',
    'SDDDKDLoss',
    'SubclassKLLoss',
    'PreviewKLDivergence',
    'DISTLoss',
    'WSLD',
)


def check_sources(who: str, recorders: dict | None, model: nn.Module) -> None:
    """Raise unless every recorded layer or parameter exists.

    Args:
        who: ``'student'`` or ``'teacher'``, for the message.
        recorders: Configs of mmrazor's recorders.
        model: The model that they record.

    Raises:
        ValueError: If one does not; names the source and the nearest names.
    """
    for name, recorder in (recorders or {}).items():
        kind, source = recorder['type'].split('.')[-1], recorder['source']
        if not kind.startswith(('Module', 'Parameter')):
            continue  # functions and methods are imported by name, and mmrazor reports errors
        pairs = model.named_modules() if kind.startswith('Module') else model.named_parameters()
        known = [key for key, _ in pairs]
        if source not in known:
            near = difflib.get_close_matches(source, known, n=3, cutoff=0.3) or known[:3]
            raise ValueError(
                f'{who}_recorders.{name}: source {source!r} is not in {type(model).__name__}; nearest: {", ".join(near)}'
            )


def check_losses(losses: Any, mappings: dict, signed: bool = False) -> None:
    """Raise unless every loss gets all its arguments and has a weight of at least 0.

    Args:
        losses: The built losses.
        mappings: ``loss_forward_mappings`` of the distiller.
        signed: Whether a weight may be negative, as for an adversarial loss. Defaults to False.

    Raises:
        ValueError: If not; names loss and argument or weight.
    """
    for name, loss in losses.items():
        if hasattr(loss, 'loss_weight'):
            check_weight(f'distill_losses.{name}.loss_weight', abs(loss.loss_weight) if signed else loss.loss_weight)
        wanted = inspect.signature(loss.forward).parameters.values()
        needed = [arg.name for arg in wanted if arg.default is EMPTY and arg.kind is not inspect.Parameter.VAR_KEYWORD]
        missing = [arg for arg in needed if arg not in mappings.get(name, {})]
        if missing:
            raise ValueError(
                f'loss_forward_mappings.{name} lacks {", ".join(missing)}: {type(loss).__name__} needs {", ".join(needed)}'
            )


def check_classes(student: nn.Module, teacher: nn.Module) -> None:
    """Raise if both models have a number of classes and these differ.

    Args:
        student: A classifier.
        teacher: A classifier or an ensemble.

    Raises:
        ValueError: If so; names both numbers.
    """
    counts = [class_count(model) for model in (student, teacher)]
    if None not in counts and counts[0] != counts[1]:
        raise ValueError(
            f'the student has {counts[0]} classes, the teacher {counts[1]}; set head.num_classes of both to that of the data'
        )


def check_one_class(distiller: dict, models: Sequence[nn.Module]) -> None:
    """Raise if a loss takes the softmax of logits that a sigmoid head gives.

    Args:
        distiller: Config of the distiller.
        models: Students and teachers.

    Raises:
        ValueError: If so; names loss and head.
    """
    heads = [type(model.head).__name__ for model in models if takes_several_labels(model)]
    for name, loss in distiller['distill_losses'].items() if heads else ():
        kind = str(loss['type']).rpartition('.')[2]
        mapped = (distiller.get('loss_forward_mappings') or {}).get(name, {})
        if kind in SOFTMAX and any(_is_of_head(distiller, record) for record in mapped.values()):
            raise ValueError(
                f'distill_losses.{name}: {kind} takes the softmax over the classes, but {heads[0]} gives '
                "each class a probability of its own (multi-label data); compare logits with type='icckd_mm.L2Loss', "
                'normalize=False, or features'
            )


def _is_of_head(distiller: dict, record: dict) -> bool:
    who = 'student' if record.get('from_student') else 'teacher'
    source = (distiller.get(f'{who}_recorders') or {}).get(record.get('recorder'), {}).get('source')
    return 'head' in str(source).split('.')


def class_count(model: nn.Module) -> int | None:
    """The number of classes of a classifier's head, None if it has none."""
    return getattr(getattr(model, 'head', model), 'num_classes', None)


def check_normalisation(ours: Any, theirs: Any, where: str) -> None:
    """Raise if both preprocessors normalise images differently; both models get the images of the first.

    Args:
        ours: The preprocessor of the algorithm.
        theirs: The preprocessor of the student or the teacher.
        where: Description of the second one, for the message.

    Raises:
        ValueError: If so; names the values.
    """
    for name in ('mean', 'std'):
        first, second = _values(ours, name), _values(theirs, name)
        # roundings of the same statistics differ by a few hundredths of a grey level
        if first and second and (len(first) != len(second) or max(abs(a - b) for a, b in zip(first, second)) > 0.5):
            raise ValueError(f'data_preprocessor.{name} is {first}, but {second} for {where}; train both with the same')
    if _values(ours, 'mean') and _values(theirs, 'mean'):
        orders = [_value(preprocessor, 'to_rgb', False) for preprocessor in (ours, theirs)]
        if orders[0] != orders[1]:
            raise ValueError(f'data_preprocessor.to_rgb is {orders[0]}, but {orders[1]} for {where}; train both with the same')


def check_side(images: Tensor, side: int | None) -> None:
    """Raise if images do not have the size that a teacher was trained with.

    Args:
        images: ``(B, 3, H, W)``.
        side: Side of the teacher's images; None if unknown.

    Raises:
        ValueError: If so; names both sizes.
    """
    if side is not None and tuple(images.shape[-2:]) != (side, side):
        raise ValueError(
            f'the images are {images.shape[-2]}x{images.shape[-1]}, but {side}x{side} for the training of the teacher, says '
            'its checkpoint; train both with the same size'
        )


def _values(preprocessor: Any, name: str) -> list[float]:
    value = _value(preprocessor, name, None)
    return [] if value is None else [round(float(x), 3) for x in torch.as_tensor(value).flatten()]


def _value(preprocessor: Any, name: str, default: Any) -> Any:
    return preprocessor.get(name, default) if isinstance(preprocessor, dict) else getattr(preprocessor, name, default)
