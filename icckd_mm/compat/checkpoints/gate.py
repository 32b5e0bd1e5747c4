"""Checks the content of every loaded checkpoint before it is used.

The reader makes sure that opening the file runs no code and exposes no other memory. The content is then plain, but mmengine
executes the texts of configs in it, uses its counters and reads its logs. The gate checks each of these entries.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from icckd_mm.compat.checkpoints.config_text import check_config_text
from icckd_mm.compat.checkpoints.extent import ContentError, check_extent

HUB = ('log_scalars', 'runtime_info', 'resumed_keys')
PLAIN_HISTORY = {'values', 'counts', 'max_length'}  # as ExactCheckpointHook writes a log
LONGEST_LOG = 10**8
BIGGEST_COUNT = 2**31
NUMBERS = (bool, int, float, complex, np.generic, np.ndarray, torch.Tensor)
ATOMS = (*NUMBERS, str, bytes, bytearray, type(None), torch.dtype, torch.device)
CONTAINERS = (dict, list, tuple, set, frozenset)
PATHS = re.compile(r'(best|last)_ckpt(_.*)?')


def check_content(content: Any) -> None:
    """Raise if a checkpoint holds a value that mmengine could not use safely.

    Args:
        content: The loaded content: a dict of weights, or a training checkpoint with ``meta``, ``state_dict`` and so on.

    Raises:
        ContentError: If so; names position and value. The caller adds the name of the file.
    """
    check_extent(content)
    if not isinstance(content, dict):
        return
    if 'meta' in content and not isinstance(content['meta'], torch.Tensor):  # a parameter may have that name
        _check_meta(content['meta'])
    for name in ('state_dict', 'ema_state_dict'):
        if name in content:
            _check_weights(content[name], name)
    if 'message_hub' in content:
        _check_hub(content['message_hub'])


def _check_meta(meta: Any) -> None:
    _check_plain(_dict(meta, 'meta'), 'meta')
    for key in ('cfg', 'config'):
        if key in meta:
            _check_text(meta[key], f'meta.{key}')
    for key in ('epoch', 'iter', 'seed'):
        if meta.get(key) is not None:
            _count(meta[key], f'meta.{key}', 2**32 if key == 'seed' else BIGGEST_COUNT)


def _check_weights(weights: Any, path: str) -> None:
    for key in _dict(weights, path):
        if not isinstance(key, str):
            raise ContentError(f'{path} has the key {key!r:.80}; keys are names of parameters')
    metadata = getattr(weights, '_metadata', {})
    for key, entry in _dict(metadata, f'{path}._metadata').items():
        _check_plain(_dict(entry, f'{path}._metadata[{key!r:.80}]'), f'{path}._metadata')
        if entry.get('version') is not None:  # modules compare it with numbers
            _count(entry['version'], f'{path}._metadata[{key!r:.80}].version')


def _check_hub(hub: Any) -> None:
    if not isinstance(hub, dict):
        _check_log(hub, 'message_hub')
        return
    parts = {key: _dict(hub.get(key, {}), f'message_hub.{key}') for key in HUB}
    for key, part in parts.items():
        if not all(isinstance(name, str) and name.isprintable() for name in part):  # logs print them
            raise ContentError(f'message_hub.{key} has keys that are not names')
    others = {key: value for key, value in hub.items() if key not in HUB}
    for name, log in (*parts['log_scalars'].items(), *others.items()):
        _check_log(log, f'message_hub.log_scalars[{name!r:.80}]')
    for name, flag in parts['resumed_keys'].items():
        if not isinstance(flag, bool):
            raise ContentError(f'message_hub.resumed_keys[{name!r:.80}] is a {type(flag).__name__}; give True or False')
    for key, value in parts['runtime_info'].items():
        path = _at('message_hub.runtime_info', key)
        if key == 'cfg':
            _check_text(value, path)
        elif PATHS.fullmatch(key) and not isinstance(value, (str, type(None))):
            raise ContentError(f'{path} is a {type(value).__name__}; give the name of a file')
        elif key == 'keep_ckpt_ids':
            for step in value if isinstance(value, (list, tuple)) else [value]:
                _count(step, path)
        elif key.startswith('best_score') and not _is_score(value):
            raise ContentError(f'{path} is {value!r:.80}; give a number')
        _check_plain(value, path)


def _check_log(log: Any, path: str) -> None:
    """Check a ``HistoryBuffer`` or its plain form; mmengine itself ignores other values."""
    plain = isinstance(log, dict) and set(log) == PLAIN_HISTORY
    if plain:
        parts, length = (log['values'], log['counts']), log['max_length']
    elif isinstance(log, HistoryBuffer):
        parts, length = (log._log_history, log._count_history), log.max_length
    else:
        _check_plain(log, path)
        return
    _count(length, f'{path}.max_length', LONGEST_LOG)
    sizes = []
    for part in parts:
        array = part if isinstance(part, (np.ndarray, torch.Tensor)) else None
        if array is None and not (isinstance(part, list) and all(type(item) in (int, float, bool) for item in part)):
            raise ContentError(f'{path} holds something that is not a number')
        if array is not None and (array.ndim != 1 or not _is_numeric(array)):
            raise ContentError(f'{path} is not a row of numbers')
        sizes.append(len(part))
    values, counts = sizes
    if values > length or counts not in (values, 1 if plain else values):
        raise ContentError(f'{path} has {values} values, {counts} counts and a length of {length}')


def _is_numeric(array: Any) -> bool:
    kind = array.dtype
    return kind.kind in 'biuf' if isinstance(kind, np.dtype) else not kind.is_complex


def _check_plain(value: Any, path: str) -> None:
    """Check values; ``check_extent`` has already limited the containers."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_plain(item, _at(path, key))
    elif isinstance(value, CONTAINERS):
        for item in value:
            _check_plain(item, path)
    elif not isinstance(value, ATOMS):
        raise ContentError(f'{path} holds a {type(value).__name__}; keep numbers, texts, tensors and plain containers')


def _check_text(text: Any, path: str) -> None:
    try:
        check_config_text(text) if isinstance(text, str) else _dict({} if text is None else text, path)
    except ContentError:
        raise
    except ValueError as error:
        raise ContentError(f'{path} could run code: {error}') from None


def _at(path: str, key: Any) -> str:
    return f'{path}.{key:.80}' if isinstance(key, str) and key.isidentifier() else f'{path}[{key!r:.80}]'


def _dict(value: Any, path: str) -> dict:
    if not isinstance(value, dict):
        raise ContentError(f'{path} is a {type(value).__name__}, not a dict')
    return value


def _count(value: Any, path: str, end: int = BIGGEST_COUNT) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < end:
        raise ContentError(f'{path} is {value!r:.80}; give a whole number from 0 to {end - 1}')


def _is_score(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() == 1 and not bool(value.isnan().any())
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and value == value
