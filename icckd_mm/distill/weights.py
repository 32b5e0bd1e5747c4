"""Loads weights into a model, all or nothing; an error names those that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from icckd_mm.engine.loading.wrapped_names import without_wrappers

IGNORED = ('icc_loss.', 'data_preprocessor.')  # the teacher's queue; statistics of the images are compared, not loaded


def load_strictly(model: nn.Module, path: str, ignored: Sequence[str] = IGNORED) -> dict:
    """Load ``path`` into ``model``; every key must exist and fit.

    mmengine's ``load_checkpoint`` only logs missing keys and keeps random weights there.

    Args:
        model: Changed in place, only if all fits.
        path: A checkpoint, local or of any scheme that mmengine knows; also one saved from a wrapped or compiled model.
        ignored: Prefixes of keys to ignore. Defaults to the queue of the intra-class loss and the
            data preprocessor.

    Returns:
        The checkpoint.

    Raises:
        ValueError: If a key is missing, surplus or has the wrong shape; names all of them.
    """
    checkpoint = CheckpointLoader.load_checkpoint(str(path), map_location='cpu')
    given = without_wrappers(checkpoint.get('state_dict', checkpoint))
    given = {key: value for key, value in given.items() if not key.startswith(tuple(ignored))}
    wanted = {key: value for key, value in model.state_dict().items() if not key.startswith(tuple(ignored))}
    shapes = [
        f'{key} is {tuple(given[key].shape)} in the file and {tuple(value.shape)} in the model'
        for key, value in wanted.items()
        if key in given and given[key].shape != value.shape
    ]
    faults = {'missing': sorted(wanted.keys() - given.keys()), 'surplus': sorted(given.keys() - wanted.keys()), 'shape': shapes}
    if any(faults.values()):
        found = '; '.join(f'{name}: {", ".join(keys)}' for name, keys in faults.items() if keys)
        raise ValueError(f'{path} does not fit {type(model).__name__}; {_advice(given)}. {found}')
    model.load_state_dict(given, strict=False)
    return checkpoint


def _advice(keys: dict) -> str:
    if any(key.startswith('architecture.') for key in keys):
        return 'it holds a whole distillation: extract its student first (keys that begin with "architecture.")'
    return 'give the config that it was trained with, or name harmless keys in ignore_keys'
