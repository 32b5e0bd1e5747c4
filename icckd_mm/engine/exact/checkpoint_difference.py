"""Finds where two checkpoints differ."""

from __future__ import annotations

import re
from typing import Any

import torch

# clocks, names of folders, the commit (in mmengine_version), and the config, which differs in a resumed run
# (epoch and iter of the message hub are reset when a run begins; those in meta count)
UNLIKE = re.compile(
    r'\.meta\.(time|experiment_name|cfg|mmengine_version)'
    r'|\.message_hub\.runtime_info\.(experiment_name|cfg|mmengine_version|epoch|iter|(last|best)_ckpt\w*)'
    r'|\.message_hub\..*/(data_)?time'
)


def checkpoint_differences(first: Any, second: Any, path: str = '') -> list[str]:
    """Paths at which two checkpoints are not bit-identical.

    Ignores clocks, names of folders, versions and the text of the config.

    Args:
        first: A checkpoint of :class:`icckd_mm.ExactCheckpointHook`, or a part of it.
        second: The other one.
        path: Path of both in their checkpoints. Defaults to the root.

    Returns:
        Paths such as ``.optimizer.state.0.momentum_buffer``, empty if there is no difference.
    """
    if UNLIKE.fullmatch(path):
        return []
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return [] if first.dtype == second.dtype and torch.equal(first, second) else [path]
    pairs: Any = ()
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        pairs = [(f'{path}.{key}', first[key], second[key]) for key in first]
    elif isinstance(first, (list, tuple)) and type(first) is type(second) and len(first) == len(second):
        pairs = [(f'{path}[{index}]', *items) for index, items in enumerate(zip(first, second))]
    elif type(first) is not type(second) or first != second:
        return [path]
    return [found for place, one, other in pairs for found in checkpoint_differences(one, other, place)]
