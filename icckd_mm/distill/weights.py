"""Weights into a model, all or nothing: what does not fit is named."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from icckd_mm.engine.loading.wrapped_names import without_wrappers

IGNORED = ('icc_loss.', 'data_preprocessor.')  # the teacher's queue; statistics of the images are compared, not loaded


def load_strictly(model: nn.Module, path: str, ignored: Sequence[str] = IGNORED) -> dict:
    """Load ``path`` into ``model``; every key must be there and fit.

    mmengine's ``load_checkpoint`` logs what is missing and goes on with a network that is random in part.

    Args:
        model: Changed in place, only if all fits.
        path: A checkpoint, local or of any scheme that mmengine knows; also one saved from a wrapped or compiled model.
        ignored: Beginnings of keys that do not count. Defaults to the queue of the intra-class loss and the
            data preprocessor.

    Returns:
        The checkpoint.

    Raises:
        ValueError: Naming every missing, surplus and misshapen key.
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
        raise ValueError(f'{path} does not fit {type(model).__name__}; {_remedy(given)}. {found}')
    model.load_state_dict(given, strict=False)
    return checkpoint


def _remedy(keys: dict) -> str:
    if any(key.startswith('architecture.') for key in keys):
        return 'it holds a whole distillation: take its student out first (keys that begin with "architecture.")'
    return 'give the config that it was trained with, or name harmless keys in ignore_keys'
