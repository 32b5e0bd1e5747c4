"""mmengine keeps random weights if no weight of a file fits.

Applies: always. ``load_checkpoint`` (``mmpretrain.get_model(pretrained=FILE)``, mmrazor's ``teacher_ckpt``) and
``init_cfg=dict(type='Pretrained', checkpoint=FILE)`` log the names of missing keys and return.
Changes: they raise ``ValueError`` if the module has weights and none of them was loaded. One matching weight is enough.
Upstream: none known.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from torch import nn

from .import_hook import on_import


def install() -> None:
    """Patches the function in the modules that export it, and the initialisation."""
    for name in ('mmengine.runner.checkpoint', 'mmengine.runner'):
        on_import(name, after=_patch_function)
    on_import('mmengine.model.weight_init', after=_patch_class)


def _patch_function(module: ModuleType) -> None:
    original = module.load_checkpoint
    if getattr(original, 'notices', False):
        return

    @functools.wraps(original)
    def load_checkpoint(model: nn.Module, filename: str, *args: Any, **kwargs: Any) -> Any:
        with noticed(model, str(filename)):
            return original(model, filename, *args, **kwargs)

    load_checkpoint.notices = True  # type: ignore[attr-defined]
    module.__dict__['load_checkpoint'] = load_checkpoint


def _patch_class(module: ModuleType) -> None:
    original = module.PretrainedInit.__call__
    if getattr(original, 'notices', False):
        return

    @functools.wraps(original)
    def call(self: Any, model: nn.Module) -> None:
        with noticed(model, str(self.checkpoint)):
            original(self, model)

    call.notices = True  # type: ignore[attr-defined]
    module.PretrainedInit.__call__ = call


@contextmanager
def noticed(model: nn.Module, name: str) -> Iterator[None]:
    """Raise at the end of the block unless a weight of the model was written in it.

    Args:
        model: The model to load into.
        name: Name of the file, for the message.

    Raises:
        ValueError: If the model has weights and none has changed.
    """
    before = _versions(model)
    yield
    if before and before == _versions(model):
        first = next(iter(model.state_dict()), '')
        raise ValueError(
            f'{name} has no weight of {type(model).__name__} ({first}, ...), which would stay random; give a file of this '
            "network, or the beginning of its keys: init_cfg=dict(type='Pretrained', checkpoint=FILE, prefix='backbone.')"
        )


def _versions(model: nn.Module) -> dict[str, int]:
    """How often each weight was written, by torch's own count."""
    return {name: value._version for name, value in model.state_dict(keep_vars=True).items() if hasattr(value, '_version')}
