"""mmengine's launchers fail on a machine without an accelerator.

Applies: at each call, when there is no accelerator (launch), or when the whole model is on the CPU (wrapper).
Changes: ``_init_dist_pytorch``, ``_init_dist_slurm`` and ``_init_dist_mpi`` initialise gloo if nccl is requested, and their
call of ``torch.cuda.set_device`` does nothing; ``MMDistributedDataParallel`` drops the ``device_ids`` that
``Runner.wrap_model`` always passes and that ``DistributedDataParallel`` refuses for a model on the CPU.
Upstream: not reported.
"""

from __future__ import annotations

import functools
import logging
from types import ModuleType
from typing import Any, Callable

import torch

from .import_hook import on_import

LOGGER = logging.getLogger('icckd_mm.compat')


def install() -> None:
    """Patches the launchers and the wrapper when mmengine loads them."""
    on_import('mmengine.dist.utils', after=_patch_launch)
    on_import('mmengine.model.wrappers.distributed', after=_patch_wrapper)


def _patch_launch(module: ModuleType) -> None:
    for name in ('_init_dist_pytorch', '_init_dist_slurm', '_init_dist_mpi'):
        original = getattr(module, name)
        if not hasattr(original, 'patched'):
            module.__dict__[name] = _on_cpu(module, original)
    LOGGER.debug('mmengine.dist launches with gloo where there is no accelerator')


def _on_cpu(module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def init_dist(backend: str, *args: Any, **kwargs: Any) -> None:
        others = (module.is_mlu_available, module.is_npu_available, module.is_musa_available)
        if torch.cuda.is_available() or any(available() for available in others):
            original(backend, *args, **kwargs)
            return
        asked, backend = backend, 'gloo' if backend == 'nccl' else backend
        set_device = torch.cuda.set_device
        vars(torch.cuda)['set_device'] = lambda device: None
        try:
            original(backend, *args, **kwargs)
        finally:
            vars(torch.cuda)['set_device'] = set_device
        if backend != asked and torch.distributed.get_rank() == 0:
            LOGGER.warning('There is no accelerator: the processes communicate through gloo instead of nccl.')

    vars(init_dist)['patched'] = True
    return init_dist


def _patch_wrapper(module: ModuleType) -> None:
    wrapper = module.MMDistributedDataParallel
    original = wrapper.__init__
    if hasattr(original, 'patched'):
        return

    @functools.wraps(original)
    def init(self: Any, module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        if all(parameter.device.type == 'cpu' for parameter in module.parameters()):
            kwargs.update(dict.fromkeys(kwargs.keys() & {'device_ids', 'output_device'}))
        original(self, module, *args, **kwargs)

    vars(init)['patched'] = True
    wrapper.__init__ = init
    LOGGER.debug('MMDistributedDataParallel drops device_ids for a model on the CPU')
