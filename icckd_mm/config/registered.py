"""Checks configs that come from a file: only registered classes of the right kind may be built.

mmengine resolves any dotted ``type`` to any importable callable. A config in a checkpoint or a published folder is data: its
types must be registered already, no module is imported for it, and its paths of weights are dropped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from icckd_mm.config.registries import SCOPES, find_registered, why_refused

LOADER, PLAIN = 'a data loader', 'plain values'
PARTS = {  # parts of a config that is published or tested, and what is built from each
    'default_scope': PLAIN,
    'model': 'MODELS',
    'data_preprocessor': 'MODELS',
    'test_dataloader': LOADER,
    'test_evaluator': 'METRICS',
    'test_cfg': PLAIN,
}
DICTS = ('model', 'data_preprocessor', 'test_dataloader')
LOADER_KEYS = {
    **dict.fromkeys(('batch_size', 'num_workers', 'persistent_workers', 'pin_memory', 'drop_last'), PLAIN),
    **{'dataset': 'DATASETS', 'sampler': 'DATA_SAMPLERS', 'collate_fn': 'FUNCTIONS'},
}
NESTED = {  # keys whose values are of another kind
    'MODELS': {'init_cfg': 'WEIGHT_INITIALIZERS', 'override': 'WEIGHT_INITIALIZERS'},
    'DATASETS': {'pipeline': 'TRANSFORMS', 'metainfo': PLAIN},
}
PATHS_OF_CODE = ('_base_', 'cfg_path', 'custom_imports')
PATHS_OF_WEIGHTS = (
    'teacher_ckpt',
    'teacher_ckpts',
    'load_from',
    'checkpoint',
    'checkpoint_path',
    'tokenizer',
    'tokenizer_path',
)
TYPES = {'conv_type': (), 'padding_mode': ('zeros', 'circular')}  # arguments from which a layer makes a type
EXECUTABLE = ('pkl', 'pickle', 'yaml', 'yml', 'py')  # formats of annotations that mmengine executes
LARGEST = {'TRANSFORMS': 2048, 'DATASETS': 2_000_000, LOADER: 8192}  # sides of images, numbers of images, batch size
DEEPEST = 40


class Place(NamedTuple):
    """A position in a config.

    Attributes:
        file: The file, for messages.
        key: Path of keys.
        kind: Kind of object that is built there, see :data:`PARTS`.
        scope: mmengine's scope.
    """

    file: str
    key: tuple[str, ...]
    kind: str
    scope: str = 'mmpretrain'

    def at(self, key: Any, kind: str | None = None) -> Place:
        """The position one key deeper."""
        return self._replace(key=(*self.key, str(key)[:40]), kind=kind or self.kind)

    def refuse(self, reason: str) -> ValueError:
        """The error at this position."""
        return ValueError(f'{self.file}: {".".join(self.key)} of the config in it is refused: {reason}')


def check_registered(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Check a config from a file, part by part, before anything is built from it.

    Args:
        config: Some of the parts ``model``, ``data_preprocessor``, ``test_dataloader``, ``test_evaluator``, ``test_cfg`` and
            ``default_scope``. Not changed.
        where: The file, for messages.

    Returns:
        A copy that is safe to build: types are names in registries, paths of weights are dropped.

    Raises:
        ValueError: If a ``type`` is not registered, is of the wrong kind, reads files, or calls what its
            arguments name; if a path leads to code, a URL or a pickle; or if a number or the nesting is out of bounds.

    Example:
        >>> check_registered({'model': {'type': 'os.system', 'command': 'ls'}}, 'a.pth')  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: a.pth: model.type of the config in it is refused: 'os.system' is not a registered model; ...
    """
    for key in config:
        if key not in PARTS:
            raise Place(where, (str(key)[:40],), PLAIN).refuse(f'only {", ".join(PARTS)} belong there')
        if key in DICTS and not isinstance(config[key], Mapping):
            raise Place(where, (key,), PLAIN).refuse(f'{_shown(config[key])} is not a dict')
    scope = 'mmpretrain' if config.get('default_scope') is None else config['default_scope']
    if scope not in SCOPES:
        raise Place(where, ('default_scope',), PLAIN).refuse(f'{_shown(scope)} is not one of {", ".join(SCOPES)}')
    return {key: _checked(value, Place(where, (key,), PARTS[key], scope)) for key, value in config.items()}


def _checked(value: Any, place: Place) -> Any:
    if len(place.key) > DEEPEST:
        raise place.refuse('it is nested too deeply')
    if isinstance(value, Mapping):
        return _checked_dict(dict(value), place)
    if isinstance(value, (list, tuple)):
        return type(value)([_checked(item, place.at(index)) for index, item in enumerate(value)])
    if isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, (int, float)):
        _check_number(value, place)
    elif value is not None:
        raise place.refuse(f'{_shown(value)} is not a plain value')
    return value


def _checked_dict(node: dict[Any, Any], place: Place) -> dict[str, Any]:
    for key in node:
        if not isinstance(key, str) or not re.fullmatch(r'[\w.+:/ -]{1,200}', key, re.ASCII):
            raise place.refuse(f'{_shown(key)} cannot be a key')
    scope = node.get('_scope_', place.scope)
    if scope not in SCOPES:
        raise place.at('_scope_').refuse(f'{_shown(scope)} is not one of {", ".join(SCOPES)}')
    place = place._replace(scope=scope)
    found = {}
    for key, value in node.items():
        here = place.at(key, _kind_at(key, place))
        if key == 'type' or (key in TYPES and value not in TYPES[key]) or (key == 'collate_fn' and isinstance(value, str)):
            found[key] = _checked_type(value, here)
        elif place.kind == 'MODELS' and (key == 'pretrained' or (key == 'init_cfg' and 'Pretrained' in repr(value))):
            continue  # the weights are in the file
        elif place.kind == LOADER and key == 'dataset' and not isinstance(value, Mapping):
            raise here.refuse(f'{_shown(value)} is not a dict')
        elif key in PATHS_OF_CODE or key in PATHS_OF_WEIGHTS:
            raise here.refuse('a file that the config names is not read; only what you name on the command line is')
        elif key in ('backend_args', 'file_client_args') and value not in (None, {}, {'backend': 'local'}):
            raise here.refuse('only local files are read')
        else:
            found[key] = _checked(value, here)
    return found


def _kind_at(key: str, place: Place) -> str:
    if place.kind != LOADER:
        return NESTED.get(place.kind, {}).get(key, place.kind)
    if key not in LOADER_KEYS:
        raise place.at(key).refuse(f'only {", ".join(LOADER_KEYS)} are taken from a file')
    return LOADER if LOADER_KEYS[key] == PLAIN else LOADER_KEYS[key]


def _checked_type(name: Any, place: Place) -> str:
    word = place.kind.lower().rstrip('s').replace('_', ' ')
    if not isinstance(name, str):
        raise place.refuse(f'{_shown(name)} is not the name of a registered {word}')
    found = None if place.kind in (PLAIN, LOADER) else find_registered(name, place.kind, place.scope)
    if found is None:
        raise place.refuse(
            f'{_shown(name)} is not a registered {word}; check the name, or import the module that registers it (--import)'
        )
    reason = why_refused(found, place.kind)
    if reason:
        raise place.refuse(f'{name} is not built from a file: {reason}')
    return found


def _check_text(text: str, place: Place) -> None:
    if '://' in text:
        raise place.refuse(f'{_shown(text)} is an address; only local files are read')
    if place.kind in ('MODELS', 'METRICS') and text.startswith(('/', '~', '.', '\\')):
        raise place.refuse(f'{_shown(text)} is a path; a file that the config names is not read')
    if place.kind == 'DATASETS' and re.match(r'\W*(dev|proc|sys)(/|$)', text):
        raise place.refuse(f'{_shown(text)} is not a folder of data')
    if place.kind == 'TRANSFORMS' and not re.fullmatch(r'[\w./ -]*', text, re.ASCII):
        raise place.refuse(f'{_shown(text)} is neither a name nor a number')  # mmpretrain evaluates some of them
    if place.kind == 'DATASETS' and text.rpartition('.')[2].strip().lower() in EXECUTABLE:
        raise place.refuse(f'{_shown(text)} would be executed; annotations are text or JSON')
    if (place.kind == 'DATASETS' and place.key[-1] == 'classes') or place.key[-2:-1] == ('metainfo',):
        raise place.refuse('a list belongs there; mmengine reads text as the name of a file')


def _check_number(value: float, place: Place) -> None:
    if not math.isfinite(value):
        raise place.refuse(f'{value} is not a finite number')
    largest = LARGEST.get(place.kind)
    if largest is not None and abs(value) > largest and place.key[-1] != 'seed':
        raise place.refuse(f'{value} is above {largest}')
    if place.kind == LOADER and place.key[-1] == 'num_workers' and value > 64:
        raise place.refuse(f'{value} is above 64')


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'
