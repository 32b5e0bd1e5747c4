"""Says where in a distiller an error arose: which loss, connector or record, and of which shapes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

LABELS = ('gt_labels', 'gt_label')
FAULTS = (RuntimeError, TypeError, AttributeError, ValueError, IndexError, KeyError, AssertionError)


@contextmanager
def located_errors(distiller: Any) -> Iterator[None]:
    """Within it an error of connectors and losses becomes one line that names the place; the run ends with it.

    Args:
        distiller: A ``ConfigurableDistiller`` whose recorders are filled.

    Raises:
        ValueError: Instead of the error, if it arises again at a connector or loss of its own.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError:
        raise
    except FAULTS as error:
        found = _locate(distiller)
        if found is None:
            raise
        raise ValueError(found) from error


@torch.no_grad()
def _locate(distiller: Any) -> str | None:
    """The first connector or loss that fails, in words."""
    for name, mapping in distiller.loss_forward_mappings.items():
        given: dict[str, Any] = {}
        for argument, record in mapping.items():
            place = f'loss_forward_mappings.{name}.{argument}'
            plain = {key: value for key, value in record.items() if not key.startswith('connector')}
            try:
                value = distiller.get_record(**plain)
            except FAULTS as error:
                return f'{place}: recorder {record["recorder"]!r} has no such record ({_short(error)}); check its indices'
            if record.get('connector'):
                try:
                    value = distiller.connectors[record['connector']](value)
                except FAULTS as error:
                    return _of_connector(record, distiller.connectors[record['connector']], value, place, error)
            index = record.get('connector_idx')
            try:
                given[argument] = value if index is None else value[index]
            except FAULTS as error:
                return (
                    f'{place}: connector {record["connector"]!r} has no output {index!r} ({_short(error)}); check connector_idx'
                )
        try:
            distiller.distill_losses[name](**given)
        except FAULTS as error:
            return _of_loss(name, distiller.distill_losses[name], given, mapping, error)
    return None


def _of_connector(record: dict, connector: nn.Module, value: Any, place: str, error: Exception) -> str:
    name, kind = record['connector'], type(connector).__name__
    if isinstance(value, (tuple, list)):
        return f'{place}: {_tuple(record, value)}, connector {name!r} ({kind}) takes one tensor'
    wanted, found = _width(connector), value.size(1) if isinstance(value, Tensor) and value.ndim > 1 else None
    if wanted is not None and found is not None and wanted[1] != found:
        return (
            f'connectors.{name} ({kind}) takes {wanted[1]} channels, but recorder {record["recorder"]!r} gives '
            f'{_shape(value)}; set {wanted[0]} of the connector to {found}'
        )
    return f'connectors.{name} ({kind}) fails on recorder {record["recorder"]!r}, which gives {_shape(value)}: {_short(error)}'


def _of_loss(name: str, loss: nn.Module, given: dict[str, Any], mapping: dict, error: Exception) -> str:
    for argument, value in given.items():
        place = f'loss_forward_mappings.{name}.{argument}'
        scores = argument in LABELS and isinstance(value, Tensor) and value.is_floating_point()
        if scores and not getattr(loss, 'takes_scores', False):
            return (
                f'{place}: {type(loss).__name__} needs one class for each image, got scores {_shape(value)}; soft or mixed '
                'labels name no class: remove train_cfg.augments and to_onehot, or this loss'
            )
        if isinstance(value, (tuple, list)) and value and isinstance(value[0], Tensor):
            return f'{place}: {_tuple(mapping[argument], value)}'
    shapes = ', '.join(f'{argument} {_shape(value)}' for argument, value in given.items())
    return f'distill_losses.{name} ({type(loss).__name__}) fails on {shapes}: {_short(error)}'


def _tuple(record: dict, value: Any) -> str:
    return (
        f'recorder {record["recorder"]!r} gives a tuple of {len(value)}; set data_idx={max(len(value) - 1, 0)} '
        'to take the last, or record another layer'
    )


def _width(connector: nn.Module) -> tuple[str, int] | None:
    """Name and value of what a connector takes: the input of its first layer with weights."""
    for layer in connector.modules():
        for attribute in ('in_channels', 'in_features'):
            size = getattr(layer, attribute, None)
            if isinstance(size, int) and isinstance(getattr(layer, 'weight', None), Tensor):
                options = inspect.signature(type(connector)).parameters
                return next((name for name in ('in_channel', 'in_channels') if name in options), 'the input width'), size
    return None


def _shape(value: Any) -> str:
    return str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__


def _short(error: Exception) -> str:
    if str(error).startswith('Expected more than 1 value per channel'):  # torch's batch norm
        return 'batch norm cannot learn from one value per channel; set train_dataloader.drop_last=True or another batch_size'
    return ' '.join(str(error).split()) or type(error).__name__
