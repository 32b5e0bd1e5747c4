"""Four rotated views of each image as one batch."""

from __future__ import annotations

import torch
from mmpretrain.models import ClsDataPreprocessor

from icckd_mm.registry import MODELS

NUM_ROTATIONS = 4


@MODELS.register_module()
class RotationDataPreprocessor(ClsDataPreprocessor):
    """``ClsDataPreprocessor`` that, in training, turns each of N images by 0, 90, 180 and 270 degrees: a batch of 4N.

    Rows come image by image, the upright view first: row ``n`` shows image ``n // 4``, and each data sample occurs four
    times. The losses of PCKD and :class:`icckd_mm.FirstViewCrossEntropyLoss`, with ``num_rotations=4``, use this order.
    Validation and test images are not rotated. Student and teacher both cost four times as much.

    Args:
        **kwargs: Arguments of :class:`mmpretrain.models.ClsDataPreprocessor`: ``mean``, ``std``, ``to_rgb``, …

    Source: PCKD, Ding et al., arXiv 2410.14143.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Apply ``ClsDataPreprocessor``, then rotate.

        Args:
            data: ``inputs`` and ``data_samples`` from the data loader.
            training: Whether the batch is for training. Defaults to False.

        Returns:
            ``inputs`` ``(4N, 3, H, H)`` and 4N ``data_samples``, or N of each outside training.

        Raises:
            ValueError: If images in training are not square.
        """
        batch = super().forward(data, training)
        if not training:
            return batch
        images = batch['inputs']
        if images.size(2) != images.size(3):
            raise ValueError(f'only square images fit into one batch after a quarter turn, got {tuple(images.shape[2:])}')
        views = torch.stack([images.rot90(quarters, (2, 3)) for quarters in range(NUM_ROTATIONS)], dim=1)
        samples = [sample for sample in batch['data_samples'] for _ in range(NUM_ROTATIONS)]
        return {'inputs': views.flatten(0, 1), 'data_samples': samples}
