"""mmengine's ``launcher='pytorch'`` stops on a machine without an accelerator.

Applies: at each call, when no accelerator is there (launch), or when the whole model is on the CPU (wrapper).
Changes: ``_init_dist_pytorch`` initialises gloo instead of calling ``torch.cuda.set_device``; ``MMDistributedDataParallel``
drops the ``device_ids`` that ``Runner.wrap_model`` always passes and that ``DistributedDataParallel`` refuses for a model on
the CPU.
Upstream: not reported.
"""

from __future__ import annotations

import functools
import logging
import os
from types import ModuleType
from typing import Any

import torch

from .import_hook import on_import

LOGGER = logging.getLogger('icckd_mm.compat')


def install() -> None:
    """Mends launch and wrapper when mmengine loads them."""
    on_import('mmengine.dist.utils', after=_mend_launch)
    on_import('mmengine.model.wrappers.distributed', after=_mend_wrapper)


def _mend_launch(module: ModuleType) -> None:
    original = module._init_dist_pytorch
    if hasattr(original, 'mended'):
        return

    @functools.wraps(original)
    def init_dist_pytorch(backend: str, init_backend: str = 'torch', **kwargs: Any) -> None:
        others = (module.is_mlu_available, module.is_npu_available, module.is_musa_available)
        if init_backend != 'torch' or torch.cuda.is_available() or any(available() for available in others):
            original(backend, init_backend=init_backend, **kwargs)
            return
        if backend == 'nccl':
            backend = 'gloo'
            if os.environ.get('RANK') == '0':
                LOGGER.warning('No accelerator is there, so the processes talk through gloo; nccl was asked for.')
        torch.distributed.init_process_group(backend=backend, **kwargs)

    vars(init_dist_pytorch)['mended'] = True
    module.__dict__['_init_dist_pytorch'] = init_dist_pytorch
    LOGGER.debug('mmengine.dist launches with gloo where no accelerator is there')


def _mend_wrapper(module: ModuleType) -> None:
    wrapper = module.MMDistributedDataParallel
    original = wrapper.__init__
    if hasattr(original, 'mended'):
        return

    @functools.wraps(original)
    def init(self: Any, module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        if all(parameter.device.type == 'cpu' for parameter in module.parameters()):
            kwargs.update(dict.fromkeys(kwargs.keys() & {'device_ids', 'output_device'}))
        original(self, module, *args, **kwargs)

    vars(init)['mended'] = True
    wrapper.__init__ = init
    LOGGER.debug('MMDistributedDataParallel drops device_ids for a model on the CPU')
