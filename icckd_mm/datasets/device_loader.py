"""Loads a data set into device memory and augments it in batches there."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, Callable

import numpy as np
import torch
from mmengine.dataset import Compose, default_collate
from mmengine.logging import print_log
from mmengine.registry import DATA_SAMPLERS, DATASETS
from mmpretrain.structures import DataSample

from icckd_mm.datasets.batch_pipeline import read_pipeline
from icckd_mm.datasets.strong_batches import StrongDraws, StrongView, apply, draw
from icckd_mm.datasets.wrappers.nesting import common_pipeline, innermost_configs, innermost_datasets
from icckd_mm.functional.tensor.counter_random import counter_uniform
from icckd_mm.functional.tensor.crop_flip import crop_and_flip, pack_images
from icckd_mm.registry import LOADERS
from icckd_mm.structures import PreparedSamples


@LOADERS.register_module()
class DeviceLoader:
    """Holds all images on the training device and augments whole batches there.

    For data sets of small images (CIFAR, Tiny-ImageNet, digits), where the pipeline of an image takes longer than its share of
    a step. Use it instead of torch's loader in the config of :class:`icckd_mm.ExactTrainLoop`:
    ``train_dataloader=dict(type='icckd_mm.DeviceLoader', batch_size=64, dataset=..., sampler=...)``. Batches have the format
    and distribution of mmpretrain's; each augmentation is a function of (seed, epoch, index, view).

    Args:
        dataset: A data set of mmpretrain; its pipeline must be one that :func:`read_pipeline` supports.
        batch_size: Images per process and step.
        sampler: Config of a sampler. Defaults to ``dict(type='DefaultSampler', shuffle=True)``.
        drop_last: Whether to drop an incomplete last batch. Defaults to False.
        seed: Seed of the run. Defaults to 0.
        device: Device of the images. Defaults to ``'cpu'``; the loop sets that of the model.

    Raises:
        ValueError: If the pipeline has an unsupported transform, or images differ in size or are not 8-bit images.
    """

    numbers_places = True

    def __init__(
        self,
        dataset: dict,
        batch_size: int,
        sampler: dict | None = None,
        drop_last: bool = False,
        seed: int = 0,
        device: str | torch.device = 'cpu',
    ) -> None:
        if not (isinstance(batch_size, int) and batch_size > 0):
            raise ValueError(f'batch_size must be a whole number of at least 1, got {batch_size!r}')
        dataset = copy.deepcopy(dataset)
        full = common_pipeline(dataset)
        self.pipeline = read_pipeline(full)
        for inner in innermost_configs(dataset):
            inner['pipeline'] = self.pipeline.loading  # the other transforms run on batches
        self.dataset: Any = DATASETS.build(dataset)
        self.sampler = DATA_SAMPLERS.build(
            sampler or {'type': 'DefaultSampler', 'shuffle': True}, default_args={'dataset': self.dataset, 'seed': seed}
        )
        self.batch_size, self.drop_last, self.seed, self.device = batch_size, drop_last, seed, torch.device(device)
        self.collate_fn: Callable = default_collate  # of single samples of self.dataset, to inspect the data
        self.epoch = self.first = 0
        self._load()
        for single in innermost_datasets(self.dataset):
            single.pipeline = Compose(full)  # a single sample gets the pipeline of the config

    def set_seed(self, seed: int) -> None:
        """Set the seed, also for the order of the images."""
        if getattr(self.sampler, 'seed', None) == self.seed:
            self.sampler.seed = seed
        self.seed = seed

    def set_position(self, epoch: int, first: int = 0) -> None:
        """Choose the epoch and the first batch of the next pass."""
        self.epoch, self.first = epoch, first
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return (math.floor if self.drop_last else math.ceil)(len(self.sampler) / self.batch_size)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        first, self.first = self.first, 0
        order = list(self.sampler)
        rows = torch.tensor(order, device=self.device)
        strong = self.pipeline.strong
        draws = [self._draws(view) for view in range(self.pipeline.views - bool(strong))]
        if strong is not None:
            index = torch.arange(len(self.packed), device=self.device)
            strongly = draw(strong, self.sides, (self.seed, self.epoch, index, 1))
        for number in range(first, len(self)):
            batch = slice(number * self.batch_size, (number + 1) * self.batch_size)
            views = [self._view(rows[batch], *drawn) for drawn in draws]
            if strong is not None:
                views.append(self._strong_view(strong, rows[batch], strongly))
            samples = itemgetter(*order[batch], order[batch.start])(self.samples)[:-1]  # one more, to get a tuple for one
            prepared = PreparedSamples(samples, rows[batch], self.labels[rows[batch]], len(self.samples))
            yield {'inputs': views if len(views) == 2 else views[0], 'data_samples': prepared}

    def _draws(self, view: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Upper edge, left edge and flip of every image in this epoch."""
        index = torch.arange(len(self.packed), device=self.device)
        top, left, flip = (counter_uniform(self.seed, self.epoch, index, view, number) for number in range(3))
        height, width = (side - target + 1 for side, target in zip(self.packed.shape[1:], self.size))
        return (top * height).long(), (left * width).long(), flip < self.pipeline.flip

    def _view(self, rows: torch.Tensor, tops: torch.Tensor, lefts: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
        window = crop_and_flip(self.packed, rows, tops[rows], lefts[rows], flips[rows], self.size)
        return window[..., : self.channels].permute(0, 3, 1, 2)

    def _strong_view(self, view: StrongView, rows: torch.Tensor, drawn: StrongDraws) -> torch.Tensor:
        edges = torch.full_like(rows, self.pipeline.padding)
        whole = crop_and_flip(self.packed, rows, edges, edges, torch.zeros_like(rows, dtype=torch.bool), self.sides)
        return apply(view, whole[..., : self.channels], drawn[rows]).permute(0, 3, 1, 2)

    def _load(self) -> None:
        """Read every image once."""
        print_log(f'DeviceLoader loads {len(self.dataset)} images to {self.device}', 'current', logging.INFO)
        images = [self.dataset[index] for index in range(len(self.dataset))]
        sizes = {image['img'].shape for image in images}
        if len(sizes) != 1:
            raise ValueError(
                f'DeviceLoader needs images of one size, got {sorted(sizes)[:5]}; use the default loader (no type)'
            )
        ((*size, self.channels),) = sizes
        if self.pipeline.strong and self.channels != 3:
            raise ValueError(f'a strong second view needs images of three channels, got {self.channels}')
        self.sides = (size[0], size[1])
        crop = self.pipeline.crop_size
        self.size = (crop, crop) if crop else tuple(size)
        room = [side + 2 * self.pipeline.padding - target for side, target in zip(size, self.size)]
        if min(room) < 0:
            raise ValueError(f'images of {size} with padding {self.pipeline.padding} are too small for a crop of {crop}')
        pixels = torch.from_numpy(np.stack([image['img'] for image in images]))
        self.packed = pack_images(pixels, self.pipeline.padding, self.pipeline.pad_value).to(self.device)
        self.labels = torch.tensor([image['gt_label'] for image in images], device=self.device)
        self.samples = [
            DataSample(metainfo={'sample_idx': place, 'img_shape': self.size}).set_gt_label(label)
            for place, label in enumerate(self.labels.split(1))
        ]
