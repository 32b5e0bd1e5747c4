"""Argument checks shared by all functions: cheap, and with messages for the user."""

from __future__ import annotations

import torch
from torch import Tensor

INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def check_floating(name: str, x: Tensor, shape: str = '') -> None:
    """Raise unless ``x`` is a floating-point tensor.

    Args:
        name: Name of the argument, for the message.
        x: The tensor to check.
        shape: The expected shape, for the message.

    Raises:
        TypeError: If not; names the dtype or type.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f'{name} must be a floating-point tensor{shape}, got {type(x).__name__}; data_idx takes one of a tuple')
    if not x.is_floating_point():
        raise TypeError(f'{name} must be a floating-point tensor{shape}, got {x.dtype}; convert it, e.g. x.float()')


def check_map(name: str, features: Tensor) -> None:
    """Raise unless ``features`` is a floating-point map ``(B, D, H, W)``.

    Raises:
        TypeError: If the tensor is not floating-point.
        ValueError: If it is not 4-D.
    """
    check_floating(name, features, ' (B, D, H, W)')
    if features.ndim != 4:
        raise ValueError(
            f'{name} must be a map (B, D, H, W), got shape {tuple(features.shape)}; record the layer before the pooling, '
            'and turn tokens into a grid first'
        )


def check_bias(name: str, bias: Tensor, classes: int) -> None:
    """Raise unless ``bias`` is a floating-point vector ``(C,)``.

    Raises:
        TypeError: If the tensor is not floating-point.
        ValueError: If it has another shape.
    """
    check_floating(name, bias, ' (C,)')
    if bias.shape != (classes,):
        raise ValueError(f'{name} must have shape ({classes},), got {tuple(bias.shape)}')


def check_features(name: str, features: Tensor, *, width: int | None = None) -> None:
    """Raise unless ``features`` is a floating-point matrix ``(B, D)``.

    Args:
        name: Name of the argument, for the message.
        features: The tensor to check.
        width: The expected ``D``. Defaults to None, any.

    Raises:
        TypeError: If the tensor is not floating-point.
        ValueError: If it is not 2-D or of another width.
    """
    check_floating(name, features, ' (B, D)')
    if features.ndim != 2:
        raise ValueError(
            f'{name} must be 2-D (B, D), got shape {tuple(features.shape)}; pool or flatten maps first, e.g. x.flatten(1)'
        )
    if width is not None and features.size(1) != width:
        raise ValueError(f'{name} has width {features.size(1)}, but {width} is needed; use a connector or set feat_dims')


def check_labels(name: str, labels: Tensor, batch: int, *, num_classes: int | None = None, like: Tensor) -> None:
    """Raise unless ``labels`` are ``batch`` class indices on the device of ``like``.

    Values are checked on the CPU only: on an accelerator that would stall the step (the teacher hook checks the labels of the
    whole data set once before training).

    Args:
        name: Name of the argument, for the message.
        labels: Class indices ``(batch,)``.
        batch: The expected length.
        num_classes: Labels must be below it. Defaults to None, unchecked.
        like: A tensor of the same batch.

    Raises:
        TypeError: If the labels are not integers.
        ValueError: If shape, device or values do not fit.
    """
    if not isinstance(labels, Tensor) or labels.dtype not in INTEGERS:
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise TypeError(f'{name} must be an integer tensor of class indices, got {kind}; soft or mixed labels name no class')
    if labels.ndim != 1 or labels.size(0) != batch:
        raise ValueError(f'{name} must have shape ({batch},), one class index for each row, got {tuple(labels.shape)}')
    if labels.device != like.device:
        raise ValueError(f'{name} are on {labels.device}, the features on {like.device}; move both to one device')
    if labels.device.type == 'cpu' and batch and not torch.compiler.is_compiling():
        low, high = (int(bound) for bound in labels.aminmax())
        if low < 0 or (num_classes is not None and high >= num_classes):
            allowed = f'[0, {num_classes})' if num_classes is not None else '[0, C)'
            raise ValueError(f'{name} must lie in {allowed}, got values from {low} to {high}')


def check_same_device(**tensors: Tensor | None) -> None:
    """Raise unless all tensors share a device.

    Raises:
        ValueError: If not; names each tensor and its device.
    """
    devices = {name: tensor.device for name, tensor in tensors.items() if tensor is not None}
    if len(set(devices.values())) > 1:
        raise ValueError(f'all tensors must be on one device, got {", ".join(f"{n} on {d}" for n, d in devices.items())}')


def check_pairs(**rows: Tensor) -> None:
    """Raise unless the two matrices have the same shape ``(B, D)`` and device.

    Raises:
        TypeError: If one of them is not floating-point.
        ValueError: If shapes or devices differ.
    """
    (name, first), (other_name, other) = rows.items()
    check_features(name, first)
    check_features(other_name, other)
    if first.shape != other.shape:
        raise ValueError(
            f'{name} and {other_name} must have one shape, got {tuple(first.shape)} and {tuple(other.shape)}; '
            'both networks must see the same images and, for logits, have the same classes'
        )
    check_same_device(**rows)
