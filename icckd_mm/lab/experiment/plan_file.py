"""Reads and checks a plan."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from icckd_mm.lab.experiment.plan import CONTROLS, FACTORS, Plan

FIELDS = (
    'name',
    'title',
    'seeds',
    'default',
    'designs',
    'controls',
    'networks',
    'options',
    'datasets',
    'device_loader',
    'strict_data',
    'seconds',
)
DATASET_FIELDS = ('configs', 'train', 'test', 'num_classes', 'data_preprocessor')


def read_plan(path: str | Path) -> Plan:
    """Read and check a plan.

    Args:
        path: A Python config of mmengine (``_base_`` works) with the fields of :class:`Plan`.

    Returns:
        The plan.

    Raises:
        ValueError: If the file is missing or not a config, or a field or factor is unknown or cannot be used.
    """
    if not Path(path).is_file():
        raise ValueError(f'plan {path} does not exist; ls docs/study/plans lists ours')
    try:
        content = Config.fromfile(path).to_dict()
    except Exception as error:  # a config is a program and may raise any error
        raise ValueError(f'plan {path} cannot be read: {type(error).__name__}: {error}; fix the file') from error
    return check_plan({key: value for key, value in content.items() if not key.startswith('_')}, str(path))


def check_plan(content: Mapping[str, Any], origin: str = 'the plan') -> Plan:
    """Make a :class:`Plan` from plain values.

    Args:
        content: Fields of :class:`Plan`; ``default`` may name some factors only.
        origin: Name of the plan in messages.

    Returns:
        The plan, with all factors in ``default``.

    Raises:
        ValueError: If a field or factor is unknown or cannot be used.
    """
    _known('field', content, FIELDS, origin)
    name = content.get('name')
    if not isinstance(name, str) or not re.fullmatch(r'[\w-]+', name):
        raise ValueError(f"{origin}: name must be made of letters, digits, - and _, got {name!r}; e.g. name = 'digits-star'")
    seeds = content.get('seeds', ())
    if not _listed(seeds) or not all(isinstance(seed, int) and seed >= 0 for seed in seeds) or len(set(seeds)) < len(seeds):
        raise ValueError(f'{origin}: seeds must be a list of different integers from 0, got {seeds!r}; e.g. seeds = [0, 1, 2]')
    default = content.get('default', {})
    _known('factor', default, FACTORS, f'{origin}: default')
    designs = content.get('designs', ())
    if not _listed(designs):
        raise ValueError(f"{origin}: designs must be a list such as [dict(type='star', margin=[0.0, 0.5])], got {designs!r}")
    for design in designs:
        _check_design(design, origin)
    controls = content.get('controls', CONTROLS)
    if isinstance(controls, str) or set(controls) - set(CONTROLS):
        raise ValueError(f'{origin}: controls must be some of {", ".join(CONTROLS)}, got {controls!r}')
    for field_name, places in (('networks', ('teacher', 'student')), ('options', ('all', 'teacher', 'student', 'METHOD'))):
        for place, values in content.get(field_name, {}).items():
            if not isinstance(values, Mapping) or (place not in places and 'METHOD' not in places):
                raise ValueError(
                    f'{origin}: {field_name} holds dicts of options for {", ".join(places)}, got {place}={values!r}'
                )
    if not isinstance(content.get('datasets', {}), Mapping):
        raise ValueError(f'{origin}: datasets must be a dict of data sets by name, got {content["datasets"]!r}')
    for data, entry in content.get('datasets', {}).items():
        _check_dataset(data, entry, origin)
    for switch in ('device_loader', 'strict_data'):
        if not isinstance(content.get(switch, False), bool):
            raise ValueError(f'{origin}: {switch} must be True or False, got {content[switch]!r}')
    seconds = content.get('seconds')
    if seconds is not None and not (isinstance(seconds, (int, float)) and seconds > 0):
        raise ValueError(f'{origin}: seconds must be above 0, got {seconds!r}')
    return Plan(
        name=name,
        title=content.get('title') or name,
        seeds=tuple(seeds),
        default={**FACTORS, **{name: _pair(name, value) for name, value in default.items()}},
        designs=tuple(
            {name: [_pair(name, one) for one in values] if name != 'type' else values for name, values in design.items()}
            for design in designs
        ),
        controls=tuple(controls),
        networks={key: dict(value) for key, value in content.get('networks', {}).items()},
        options={key: dict(value) for key, value in content.get('options', {}).items()},
        datasets={key: dict(value) for key, value in content.get('datasets', {}).items()},
        device_loader=content.get('device_loader', False),
        strict_data=content.get('strict_data', True),
        seconds=seconds,
    )


def _pair(factor: str, value: Any) -> Any:
    """A value of a factor; two paths of a pair are joined by a comma, so that every value can be written into a table."""
    return ','.join(map(str, value)) if factor == 'pair' and isinstance(value, (list, tuple)) else value


def _check_design(design: Any, origin: str) -> None:
    if not isinstance(design, Mapping) or design.get('type') not in ('star', 'product'):
        raise ValueError(f"{origin}: a design is dict(type='star' or 'product', factor=[values], ...), got {design!r}")
    _known('factor', [name for name in design if name != 'type'], FACTORS, f'{origin}: a design')
    for name, values in design.items():
        if name != 'type' and not _listed(values):
            raise ValueError(f'{origin}: the design lists no values for {name}, got {values!r}; write {name}=[...]')


def _check_dataset(data: str, entry: Any, origin: str) -> None:
    here = f'{origin}: datasets: {data}'
    if not isinstance(entry, Mapping) or set(DATASET_FIELDS) - {'data_preprocessor'} - set(entry):
        raise ValueError(f'{here} must be a dict with configs, train, test and num_classes, got {entry!r}')
    _known('field', entry, DATASET_FIELDS, here)
    if not isinstance(entry['num_classes'], int) or entry['num_classes'] < 2:
        raise ValueError(f'{here}: num_classes must be an integer of at least 2, got {entry["num_classes"]!r}')
    for part in ('train', 'test'):
        if not isinstance(entry[part], Mapping) or 'type' not in entry[part]:
            raise ValueError(f'{here}: {part} must be the config of a data set, got {entry[part]!r}')


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0


def _known(kind: str, names: Any, allowed: Any, origin: str) -> None:
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(str(name), list(allowed), n=1)
            hint = f'did you mean {near[0]}?' if near else f'there are {", ".join(allowed)}'
            raise ValueError(f'{origin}: {name!r} is not a {kind}; {hint}')
