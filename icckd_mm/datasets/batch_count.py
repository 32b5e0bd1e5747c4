"""Checks that a training loader gives at least one batch."""

from __future__ import annotations

from typing import Any


def check_batches(loader: Any) -> None:
    """Refuse a training loader without a batch: mmengine would run empty epochs.

    Args:
        loader: A loader of torch or a ``DeviceLoader``.

    Raises:
        ValueError: If it gives none; names the number of images.
    """
    if not len(loader):
        batch = getattr(getattr(loader, 'batch_sampler', loader), 'batch_size', None)
        raise ValueError(
            f'train_dataloader gives no batch: {len(loader.sampler)} images per process, batch_size={batch}, drop_last=True; '
            'set a smaller batch_size or drop_last=False'
        )
