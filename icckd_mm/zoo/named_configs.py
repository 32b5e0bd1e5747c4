"""Configs of this package by name, ``icckd_mm::icckd/teacher/NAME.py``, in ``_base_`` and in ``mmengine.hub.get_config``.

mmengine knows a closed list of packages, and looks for ``.mim`` in the installed package, which a checkout does not have.
"""

from __future__ import annotations

import difflib
import functools
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from icckd_mm.compat.import_hook import on_import

from .index import own_index

PREFIX = 'icckd_mm::'


def install() -> None:
    """Teaches mmengine the prefix as soon as its modules are imported."""
    on_import('mmengine.config.config', after=_patch_config)
    on_import('mmengine.hub.hub', after=_patch_hub)


def named_config(name: str) -> Path:
    """The file of a config, in a checkout or an installed package.

    Args:
        name: Such as ``icckd_mm::icckd/teacher/icc_resnet20_1xb64_digits.py``, from the folder ``configs``.

    Raises:
        FileNotFoundError: If there is none; with the nearest name.
    """
    index = own_index()
    if index is None:
        raise FileNotFoundError('this copy of icckd_mm has no configs; install the wheel, or clone the repository')
    folder, given = index.parent / 'configs', name[len(PREFIX) :].removesuffix('.py')
    files = {path.relative_to(folder).with_suffix('').as_posix(): path for path in folder.rglob('*.py')}
    if given not in files:
        near = difflib.get_close_matches(given, files, n=1, cutoff=0.3)
        raise FileNotFoundError(
            f'{name} is not a config of icckd_mm' + (f'; did you mean {PREFIX}{near[0]}.py?' if near else '')
        )
    return files[given]


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
