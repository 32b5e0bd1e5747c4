"""Loads weights into a model, all or nothing; an error names those that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from icckd_mm.engine.loading.network_fit import IGNORED, check_network
from icckd_mm.engine.loading.wrapped_names import without_wrappers


def load_strictly(
    model: nn.Module, path: str, ignored: Sequence[str] = IGNORED, *, config: Any = None, place: str = ''
) -> dict:
    """Load ``path`` into ``model``; every key must exist and fit.

    mmengine's ``load_checkpoint`` only logs missing keys and keeps random weights there.

    Args:
        model: Changed in place, only if all fits.
        path: A checkpoint, local or of any scheme that mmengine knows; also one saved from a wrapped or compiled model.
        ignored: Prefixes of keys to ignore. Defaults to the queue of the intra-class loss and the
            data preprocessor.
        config: The config of ``model``, for the message.
        place: Its key in the whole config, for the message.

    Returns:
        The checkpoint.

    Raises:
        ValueError: If a key is missing, surplus or has the wrong shape; names some of them.
    """
    checkpoint = CheckpointLoader.load_checkpoint(str(path), map_location='cpu')
    given = without_wrappers(checkpoint.get('state_dict', checkpoint))
    given = {key: value for key, value in given.items() if not key.startswith(tuple(ignored))}
    wanted = {key: value for key, value in model.state_dict().items() if not key.startswith(tuple(ignored))}
    meta = checkpoint.get('meta')
    stored = meta.get('cfg') if isinstance(meta, dict) else None
    check_network(str(path), given, wanted, network=type(model).__name__, stored=stored, config=config, place=place)
    model.load_state_dict(given, strict=False)
    return checkpoint
