"""Compares two configs setting by setting, and the networks that they describe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from icckd_mm.compat.checkpoints.config_text import parse_config_text
from icckd_mm.plain_text import is_file_name, plain

UNSET = 'not set'
PARTS = ('backbone', 'neck', 'head')
UNLIKE = ('init_cfg', 'loss', 'topk', 'cal_acc', '_scope_', 'frozen_stages', 'norm_eval', 'with_cp')  # weights stay the same
NOTED = 3  # settings in a message


class Difference(NamedTuple):
    """A setting with two values.

    Attributes:
        path: Dotted key.
        before: Its value in the first config; None if it has none.
        now: Its value in the second config.
    """

    path: str
    before: Any
    now: Any


def differences(before: Any, now: Any, path: str = '') -> Iterator[Difference]:
    """The settings of two nested dicts that differ; lists and tuples of equal values do not.

    Args:
        before: The first config.
        now: The second config.
        path: Key of both, for the paths.

    Example:
        >>> list(differences({'depth': 20}, {'depth': 8}, 'backbone'))
        [Difference(path='backbone.depth', before=20, now=8)]
    """
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*now, *(key for key in before if key not in now)]:
            name = plain(str(key), 80)
            yield from differences(before.get(key), now.get(key), f'{path}.{name}' if path else name)
        return
    rows = (list, tuple)  # the text of a config does not always tell them apart
    if before != now and not (isinstance(now, rows) and isinstance(before, rows) and list(before) == list(now)):
        yield Difference(path, before, now)


def network_differences(stored: Any, config: Any) -> list[Difference]:
    """The settings that make the network of a checkpoint another one than that of a config.

    Args:
        stored: ``meta.cfg`` of the checkpoint.
        config: Config of a classifier or of a distillation, whose student is meant.

    Returns:
        ``before`` is the value in the checkpoint. Empty if one of the configs is unknown.
    """
    try:
        first = _network(parse_config_text(stored).get('model'))
    except ValueError:
        return []
    second = _network(config)
    return list(differences(first, second)) if first and second else []


def in_words(found: list[Difference]) -> str:
    """The first differences as text, such as ``backbone.depth is 20 in the file and 8 in the config``."""
    said = [
        f'{path} is {_written(before)} in the file and {_written(now)} in the config' for path, before, now in found[:NOTED]
    ]
    return ', '.join(said) + (f', and {len(found) - NOTED} more settings differ' if len(found) > NOTED else '')


def as_options(found: list[Difference], place: str) -> str:
    """``--cfg-options`` that give the config the network of the file; empty if they fit no command line."""
    simple = all(isinstance(one.before, (int, float)) or is_file_name(one.before) for one in found)  # safe in a shell
    options = ' '.join(f'{place}.{one.path}={_written(one.before)}' for one in found)
    return f'--cfg-options {options}' if simple and 0 < len(found) <= NOTED else ''


def _network(config: Any) -> dict[str, Any]:
    """The parts of a classifier, without what does not change its weights."""
    config = config.get('architecture') or config if isinstance(config, dict) else {}
    parts = {name: config[name] for name in PARTS if isinstance(config.get(name), dict)}
    return {name: {key: _bare(key, value) for key, value in part.items() if key not in UNLIKE} for name, part in parts.items()}


def _bare(key: str, value: Any) -> Any:
    return value.rpartition('.')[2] if key == 'type' and isinstance(value, str) else value


def _written(value: Any) -> str:
    return UNSET if value is None else plain(f'{value}', 60)
