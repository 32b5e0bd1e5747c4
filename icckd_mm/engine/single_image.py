"""Whether batch norm can learn from a last batch of one image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.dataset import InfiniteSampler
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def last_batch(loader: Any) -> tuple[int, int]:
    """Number of images of the first and of the last batch of an epoch; 0 and 0 where they are not known.

    Args:
        loader: A loader of torch or a ``DeviceLoader``.
    """
    size = getattr(getattr(loader, 'batch_sampler', None) or loader, 'batch_size', None)
    if size is None or isinstance(loader.sampler, InfiniteSampler):
        return 0, 0
    images = len(loader.sampler)
    return min(size, images), min(size, images - (len(loader) - 1) * size)


def watch_norms(model: nn.Module, loader: Any) -> list[Any]:
    """If an epoch ends with one image, let the first batch show whether a batch norm would get one value per channel then.

    Such a layer stands behind pooled features or a map of one place. PyTorch stops there, at the end of the first epoch.

    Args:
        model: Hooks are added to its batch norms.
        loader: The training loader.

    Returns:
        Handles of the hooks, to be removed after the first batch. The hooks raise a ``ValueError`` before its update.
    """
    first, last = last_batch(loader)
    if last != 1:
        return []
    norms = ((name, norm) for name, norm in model.named_modules() if isinstance(norm, _BatchNorm))
    return [
        norm.register_forward_pre_hook(_refusal(name, first))
        for name, norm in norms
        if not isinstance(norm, nn.SyncBatchNorm)  # it joins the images of all processes
    ]


def _refusal(name: str, images: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def check(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        features = inputs[0]
        if norm.training and features.numel() // features.size(1) <= images:
            raise ValueError(
                f'the last batch of an epoch has one image, and {name} then gets one value per channel, from which batch norm '
                'cannot learn; set train_dataloader.drop_last=True or another batch_size'
            )

    return check
