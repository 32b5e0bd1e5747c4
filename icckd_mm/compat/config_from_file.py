"""mmengine and mmrazor execute the text of a config that a checkpoint holds.

Applies: always. ``Runner.resume`` and ``FlexibleRunner.resume`` run ``meta.config`` as Python, ``BaseInferencer(weights=FILE)``
and mmrazor's ``RuntimeInfo.config`` the text of ``message_hub.runtime_info.cfg`` or ``meta.cfg``.
Changes: in these four modules ``Config.fromstring`` reads literals and runs nothing; any other text is refused. Everywhere
else ``Config`` is mmengine's.
Upstream: none known.
"""

from __future__ import annotations

import logging
from functools import cache
from types import ModuleType
from typing import Any

from .import_hook import on_import

WITH_MMENGINE = ('mmengine.runner.runner', 'mmengine.runner._flexible_runner')  # they write mmengine.Config.fromstring
WITH_CONFIG = ('mmengine.infer.infer', 'mmrazor.utils.runtime_info')  # they import Config


def install() -> None:
    """Gives the modules a ``Config`` whose ``fromstring`` reads literals only, when they are imported."""
    for name in WITH_MMENGINE:
        on_import(name, after=_patch_package)
    for name in WITH_CONFIG:
        on_import(name, after=_patch_config)


def _patch_package(module: ModuleType) -> None:
    if not isinstance(module.mmengine, LiteralMmengine):
        module.__dict__['mmengine'] = LiteralMmengine('mmengine')
        logging.getLogger('icckd_mm.compat').debug('%s reads configs of checkpoints as literals', module.__name__)


def _patch_config(module: ModuleType) -> None:
    module.__dict__['Config'] = _literal_config()


class LiteralMmengine(ModuleType):
    """The package ``mmengine`` as its runners see it: every name except ``Config`` is its own."""

    def __getattr__(self, name: str) -> Any:
        import mmengine

        return _literal_config() if name == 'Config' else getattr(mmengine, name)


@cache
def _literal_config() -> type:
    """A subclass of ``Config`` of which every ``Config`` is an instance."""
    from mmengine.config import Config

    from icckd_mm.compat.checkpoints.config_text import parse_config_text

    class Same(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, Config)

    class LiteralConfig(Config, metaclass=Same):
        @staticmethod
        def fromstring(cfg_str: str, file_format: str) -> Config:
            """The config in a text of assignments of literals."""
            if file_format != '.py':
                raise ValueError(f'the config in a checkpoint is Python text (.py), got {file_format!r}')
            return parse_config_text(cfg_str)

    return LiteralConfig
