"""Whether a training loader gives a batch at all."""

from __future__ import annotations

from typing import Any


def check_batches(loader: Any) -> None:
    """Refuse a training loader without a batch, with which mmengine counts epochs of nothing.

    Args:
        loader: torch's or a ``DeviceLoader``.

    Raises:
        ValueError: Saying how many images there are.
    """
    if not len(loader):
        batch = getattr(getattr(loader, 'batch_sampler', loader), 'batch_size', None)
        raise ValueError(
            f'train_dataloader gives no batch: {len(loader.sampler)} images a process, batch_size={batch} and drop_last=True; '
            'take a smaller batch_size or drop_last=False'
        )
