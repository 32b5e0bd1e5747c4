"""Two views of each image as one batch."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.models import ClsDataPreprocessor
from torch import Tensor

from icckd_mm.registry import MODELS
from icckd_mm.structures import PreparedSamples


@MODELS.register_module()
class TwoViewDataPreprocessor(ClsDataPreprocessor):
    """``ClsDataPreprocessor`` that stacks two views of N images into one batch of 2N, view 1 first.

    A single view, as in validation, passes through unchanged. Takes the batches of
    ``default_collate`` (two tensors ``(N, 3, H, W)``) and of ``pseudo_collate`` (two sequences of N tensors ``(3, H, W)``).

    Args:
        batch_augments: Must be None; mmpretrain's classifiers pass their ``train_cfg`` here.
        repeat_samples: Whether the N data samples come twice, one for each image of the batch, for a classifier that learns
            from both views as from 2N images. Defaults to False: the teacher's training pairs the views itself.
        **kwargs: Arguments of :class:`mmpretrain.models.ClsDataPreprocessor`: ``mean``, ``std``, ``to_rgb``, …

    Raises:
        ValueError: If ``batch_augments`` or ``to_onehot`` is set: mixed labels name no class.
    """

    def __init__(self, batch_augments: dict | None = None, repeat_samples: bool = False, **kwargs: Any) -> None:
        if batch_augments or kwargs.get('to_onehot'):
            given = f'batch_augments={batch_augments}' if batch_augments else 'to_onehot=True'
            raise ValueError(
                f'TwoViewDataPreprocessor cannot use {given}: an image with mixed labels belongs to no class; '
                'remove the mixup/cutmix of model.train_cfg, or use ClsDataPreprocessor without the intra-class loss'
            )
        super().__init__(**kwargs)
        self.repeat_samples = repeat_samples

    def forward(self, data: dict, training: bool = False) -> dict:
        """Stack the views, then apply ``ClsDataPreprocessor``.

        Args:
            data: ``inputs`` and ``data_samples`` from the data loader.
            training: Whether the batch is for training. Defaults to False.

        Returns:
            ``inputs`` ``(2N, 3, H, W)``, or ``(N, 3, H, W)`` of a single view, and the N ``data_samples``,
            2N if they are repeated.

        Raises:
            ValueError: If there are more than two views.
        """
        views = views_of(data['inputs'])
        if len(views) == 2:
            data = {**data, 'inputs': torch.cat([_as_batch(view) for view in views])}
        samples = data.get('data_samples')
        if isinstance(samples, PreparedSamples):  # of DeviceLoader; mmpretrain would set each label again
            batch = {**super().forward({'inputs': data['inputs']}, training), 'data_samples': samples}
        else:
            batch = super().forward(data, training)
        if self.repeat_samples and len(views) == 2:
            batch['data_samples'] = [*batch['data_samples'], *batch['data_samples']]
        return batch


def views_of(inputs: Any) -> list:
    """The views in collated ``inputs``: two batches, or the inputs themselves as the only one.

    Args:
        inputs: What a data loader puts under ``inputs``.

    Returns:
        One or two batches, each a tensor ``(N, 3, H, W)`` or a sequence of N tensors ``(3, H, W)``.

    Raises:
        ValueError: If there are more than two views.
    """
    # pseudo_collate gives a list of images for one view, and a list of lists for several
    if isinstance(inputs, Tensor) or all(isinstance(item, Tensor) and item.ndim == 3 for item in inputs):
        return [inputs]
    if len(inputs) != 2:
        raise ValueError(f'two views of each image are needed, got {len(inputs)}; set num_views=2 in the MultiView transform')
    return list(inputs)


def _as_batch(view: Any) -> Tensor:
    return view if isinstance(view, Tensor) else torch.stack(list(view))
