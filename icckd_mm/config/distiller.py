"""Finds mistakes in a distiller's wiring from its config alone: names that do not meet, and tuples where tensors are needed."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Mapping
from typing import Any

from icckd_mm.config.types import find_types

RECORD = ('recorder', 'from_student', 'record_idx', 'data_idx', 'connector', 'connector_idx')


def check_distiller(config: Mapping[str, Any], scope: str, place: str = 'distiller') -> None:
    """Check names of losses, recorders, connectors and arguments of a ``ConfigurableDistiller``.

    Args:
        config: Of the distiller.
        scope: The scope in which it is built.
        place: Where the distiller is, for messages.

    Raises:
        ValueError: Naming place, value and what is near.
    """
    losses = config.get('distill_losses') or {}
    for name, loss in losses.items():
        if 'loss' not in name and loss.get('loss_weight', 1) != 0:
            raise ValueError(
                f'{place}.distill_losses.{name} would be logged but not trained: mmengine trains what has "loss" in its name; '
                f'rename it to loss_{name}, here and in loss_forward_mappings'
            )
    for name, mapping in (config.get('loss_forward_mappings') or {}).items():
        here = f'{place}.loss_forward_mappings.{name}'
        if name not in losses:
            raise ValueError(f'{here}: there is no such loss in distill_losses; {_near(name, losses)}')
        if not isinstance(mapping, Mapping):
            raise ValueError(f'{here} must be a dict from arguments of the loss to records, got {mapping!r}')
        arguments = _forward_arguments(losses[name], scope)
        for argument, record in mapping.items():
            if arguments and argument not in arguments:
                raise ValueError(
                    f'{here}.{argument}: {losses[name]["type"]} has no argument {argument}; {_near(argument, arguments)}'
                )
            _check_record(config, record, f'{here}.{argument}', arguments.get(argument))


def _check_record(config: Mapping[str, Any], record: Any, place: str, argument: inspect.Parameter | None) -> None:
    if not isinstance(record, Mapping):
        raise ValueError(f'{place} must be a dict with recorder and from_student, got {record!r}')
    for key in record:
        if key not in RECORD:
            raise ValueError(f'{place} has no argument {key}; {_near(str(key), RECORD)}')
    if not isinstance(record.get('from_student'), bool):
        raise ValueError(f'{place}.from_student must be True or False, got {record.get("from_student")!r}')
    who = 'student' if record['from_student'] else 'teacher'
    recorders, name = config.get(f'{who}_recorders') or {}, record.get('recorder')
    if name not in recorders:
        other = 'teacher' if record['from_student'] else 'student'
        hint = f'; {other}_recorders has it' if name in (config.get(f'{other}_recorders') or {}) else ''
        raise ValueError(f'{place}.recorder: {name!r} is not in {who}_recorders{hint}; {_near(str(name), recorders)}')
    connector = record.get('connector')
    if connector is not None and connector not in (config.get('connectors') or {}):
        raise ValueError(f'{place}.connector: {connector!r} is not in connectors; {_near(connector, config.get("connectors"))}')
    kind = str(recorders[name].get('type')).rpartition('.')[2]
    takes_tuples = argument is not None and 'uple' in str(argument.annotation)
    if 'Inputs' in kind and record.get('data_idx') is None and not (takes_tuples or connector):
        raise ValueError(f'{place}: recorder {name!r} records inputs (a tuple); set data_idx=0 to take the first')


def _forward_arguments(loss: Mapping[str, Any], scope: str) -> dict[str, inspect.Parameter]:
    """What the loss is called with, by name; empty if it cannot be known."""
    found: dict[str, inspect.Parameter] = {}
    for target in find_types(loss.get('type'), loss.get('_scope_') or scope):
        forward = getattr(target, 'forward', None)
        parameters = dict(inspect.signature(forward).parameters) if forward else {}
        if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
            return {}
        found.update({name: one for name, one in parameters.items() if name != 'self'})
    return found


def _near(name: str, known: Collection[str] | None) -> str:
    names = sorted(known or ())
    by_lower = {one.lower(): one for one in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return (f'did you mean {by_lower[near[0]]}? ' if near else '') + f'There is {", ".join(names) or "none"}'
