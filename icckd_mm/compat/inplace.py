"""mmrazor's protection of recorded features against in-place layers does nothing on torch >= 2.5.

Applies: when ``BaseAlgorithm.set_module_inplace_false`` leaves ``inplace=True`` on a layer of a small model. It walks
``_modules`` only if it is an ``OrderedDict``; since torch 2.5 it is a plain dict. A recorder on ``bn1`` then sees the
tensor after the ReLU.
Changes: the method walks ``Module.modules()``.
Upstream: mmrazor PR #446 (the protection), PyTorch PR #129164 (the plain dict).
"""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

from torch import nn

from .import_hook import on_import


def install() -> None:
    """Patches the class when mmrazor defines it."""
    on_import('mmrazor.models.algorithms.base', after=_patch)


def _patch(module: ModuleType) -> None:
    algorithm = module.BaseAlgorithm
    if works(algorithm):
        return
    algorithm.set_module_inplace_false = set_module_inplace_false
    logging.getLogger('icckd_mm.compat').debug('BaseAlgorithm.set_module_inplace_false walks Module.modules()')


def works(algorithm: type) -> bool:
    """Whether the method of this class turns the in-place layers of a model off."""
    probe = type('Probe', (), {'set_module_inplace_false': algorithm.set_module_inplace_false})()  # type: ignore[attr-defined]
    probe.architecture = nn.Sequential(nn.ReLU(inplace=True))
    probe.set_module_inplace_false(probe.architecture, 'self.architecture')
    return not probe.architecture[0].inplace


def set_module_inplace_false(self: Any, architecture: Any, varstr: str) -> None:
    """Sets ``inplace`` to False on every module that has it.

    Args:
        self: Not used.
        architecture: A model, or its modules by name; anything else is left unchanged, as upstream does.
        varstr: Not used; upstream evaluates it to reach ``architecture``.
    """
    roots: Any = architecture.values() if isinstance(architecture, dict) else [architecture]
    for root in roots:
        modules: Any = root.modules() if isinstance(root, nn.Module) else ()
        for module in modules:
            if hasattr(module, 'inplace'):
                module.inplace = False
