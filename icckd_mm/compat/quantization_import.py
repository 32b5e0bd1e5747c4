"""mmrazor 1.0.0 cannot be imported on torch >= 2.0.

Applies: when one of mmrazor's quantization modules fails to execute. From torch 1.13 on they expect the private
names ``reverse2``, ``reverse3``, … of ``torch.ao.quantization.fuser_method_mappings``, which torch 2.0 renamed.
Changes: that module is executed again while ``mmrazor.digit_version`` reports the running torch as 1.12.1, the last version
for which mmrazor leaves its quantization out. ``torch.__version__`` is never changed; ``mmrazor.digit_version`` is
restored.
Upstream: mmrazor issues #615 and #632; fixed on its main branch, never released.
"""

from __future__ import annotations

import logging
import sys
from types import ModuleType
from typing import Any, Callable

import torch

from .import_hook import on_import

MODULES = (
    'mmrazor.structures.quantization.backend_config.common_operator_config_utils',
    'mmrazor.structures.quantization.backend_config.mapping',
)


def install() -> None:
    """Watches the modules that check the version of torch while they are executed."""
    for name in MODULES:
        on_import(name, around=_execute_without_quantization_if_needed)


def _execute_without_quantization_if_needed(module: ModuleType, execute: Callable[[], None]) -> None:
    try:
        execute()
        return
    except Exception as error:  # its class depends on torch: a placeholder's ImportError, a missing table's AttributeError
        reason = f'{type(error).__name__}: {error}'
    mmrazor: Any = sys.modules['mmrazor']
    digit_version = mmrazor.digit_version

    def digit_version_of_old_torch(version: str, *args: Any, **kwargs: Any) -> Any:
        return digit_version('1.12.1' if str(version) == str(torch.__version__) else version, *args, **kwargs)

    mmrazor.digit_version = digit_version_of_old_torch
    try:
        execute()
    finally:
        mmrazor.digit_version = digit_version
    module.__dict__['digit_version'] = digit_version
    logging.getLogger('icckd_mm.compat').debug('%s is imported without quantization (%s)', module.__name__, reason)
