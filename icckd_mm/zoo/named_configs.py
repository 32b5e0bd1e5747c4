"""Configs of this package by name, ``icckd_mm::icckd/teacher/NAME.py``, in ``_base_`` and in ``mmengine.hub.get_config``.

mmengine knows a closed list of packages, and looks for ``.mim`` in the installed package, which a checkout does not have.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from icckd_mm.compat.import_hook import on_import
from icckd_mm.packaged import PREFIX, named_config


def install() -> None:
    """Teaches mmengine the prefix as soon as its modules are imported."""
    on_import('mmengine.config.config', after=_patch_config)
    on_import('mmengine.hub.hub', after=_patch_hub)


def _patch_config(module: ModuleType) -> None:
    original = module.Config._get_cfg_path
    if getattr(original, 'knows_icckd_mm', False):
        return

    @functools.wraps(original)
    def get_cfg_path(cfg_path: str, filename: str) -> Any:
        # no scope: the types in our configs have their prefix or are of default_scope
        return (str(named_config(cfg_path)), None) if cfg_path.startswith(PREFIX) else original(cfg_path, filename)

    get_cfg_path.knows_icckd_mm = True  # type: ignore[attr-defined]
    module.Config._get_cfg_path = staticmethod(get_cfg_path)


def _patch_hub(module: ModuleType) -> None:
    original = module.get_config
    if getattr(original, 'knows_icckd_mm', False):
        return

    @functools.wraps(original)
    def get_config(cfg_path: str, pretrained: bool = False) -> Any:
        if not cfg_path.startswith(PREFIX):
            return original(cfg_path, pretrained)
        file = named_config(cfg_path)
        cfg = module.Config.fromfile(str(file))
        if pretrained:
            cfg.model_path = _weights(file)
        return cfg

    get_config.knows_icckd_mm = True  # type: ignore[attr-defined]
    module.__dict__['get_config'] = get_config


def _weights(file: Path) -> str:
    """The weights beside a published config."""
    found = sorted(file.parent.glob(f'{file.stem}_*.pth'))
    if not found:
        raise ValueError(f'{file.stem} has no published weights; leave pretrained out, or train it')
    return os.fspath(found[-1])
