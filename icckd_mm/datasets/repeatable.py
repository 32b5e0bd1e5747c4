"""Repeatable data loading: a sample depends only on the seed, the epoch and its index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info

from icckd_mm.datasets.wrappers.places import set_place
from icckd_mm.randomness import preserved_randomness, seed_generators


class EpochIndex(int):
    """An index of a data set that knows its epoch, so that a worker of an earlier epoch knows it too.

    Attributes:
        epoch: The epoch in which the sample is drawn, from 0.
    """

    epoch: int

    def __new__(cls, index: int, epoch: int) -> EpochIndex:
        made = super().__new__(cls, index)
        made.epoch = epoch
        return made

    def __reduce__(self) -> tuple:
        return EpochIndex, (int(self), self.epoch)


class RepeatableDataset(Dataset):
    """A data set whose random transforms draw from (seed, epoch, index).

    Transforms take random numbers from the generators of python, numpy and torch. These are seeded again for each sample, so
    the views of an image do not depend on the worker or process that makes them, and differ in the next epoch. mmengine seeds
    its workers alike each time they start, so every epoch would draw the same. A transform's own generator is not seeded.
    ``sample_idx`` of a sample is its index here, whatever wrappers are inside.

    Args:
        dataset: Any data set; its attributes can be read here, too.
        seed: Seed of the run.
    """

    def __init__(self, dataset: Any, seed: int) -> None:
        self.dataset = dataset
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """A whole batch, as torch's data loader asks for it; ``indices`` are :class:`EpochIndex`, others count as epoch 0."""
        if get_worker_info() is not None:  # the generators of a worker are used for nothing else
            return [self._draw(index) for index in indices]
        with preserved_randomness():
            return [self._draw(index) for index in indices]

    def _draw(self, index: int) -> Any:
        seed_generators(self.seed, getattr(index, 'epoch', 0), int(index))
        return set_place(self.dataset[int(index)], int(index))

    def __getattr__(self, name: str) -> Any:
        if name == 'dataset' or name.startswith('__'):  # unset while unpickling; never pass on special methods
            raise AttributeError(name)
        return getattr(self.dataset, name)


class EpochBatches(Sampler):
    """The batches of another batch sampler, their indices marked with the epoch, from any position on.

    Args:
        batches: A batch sampler.
    """

    def __init__(self, batches: Any) -> None:
        self.batches = batches
        self.sampler = batches.sampler  # where mmengine's DistSamplerSeedHook looks for set_epoch
        self.batch_size = getattr(batches, 'batch_size', None)
        self.epoch = self.first = 0

    def set_position(self, epoch: int, first: int = 0) -> None:
        """Choose the epoch and the first batch of the next pass.

        Args:
            epoch: The epoch, from 0.
            first: Number of batches to skip; they are not loaded. Defaults to 0.
        """
        self.epoch, self.first = epoch, first
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[EpochIndex]]:
        first, self.first = self.first, 0
        for number, batch in enumerate(self.batches):
            if number >= first:
                yield [EpochIndex(index, self.epoch) for index in batch]


class RepeatableLoader(DataLoader):
    """Torch's loader over a :class:`RepeatableDataset` in :class:`EpochBatches`.

    A pass over it does not use torch's global generator.

    Args:
        loader: A loader of a map-style data set in batches, whose settings it copies.
        seed: Seed of the run.

    Raises:
        ValueError: If the loader has no batches, or its sampler gives one image several times in an epoch.
    """

    numbers_places = True

    def __init__(self, loader: DataLoader, seed: int) -> None:
        if loader.batch_sampler is None:
            raise ValueError('the training loader needs a batch size; got batch_size=None')
        if getattr(loader.sampler, 'num_repeats', 1) > 1:
            raise ValueError(
                f'{type(loader.sampler).__name__} repeats an image within an epoch, but an augmentation is drawn from '
                '(seed, epoch, index) and would repeat too; use DefaultSampler, or train_cfg=dict(by_epoch=True, ...)'
            )
        self.samples, self.batches = RepeatableDataset(loader.dataset, seed), EpochBatches(loader.batch_sampler)
        names = ('num_workers', 'collate_fn', 'pin_memory', 'timeout', 'worker_init_fn', 'multiprocessing_context')
        options: Any = {name: getattr(loader, name) for name in (*names, 'prefetch_factor', 'persistent_workers')}
        super().__init__(self.samples, batch_sampler=self.batches, generator=torch.Generator().manual_seed(seed), **options)

    def set_position(self, epoch: int, first: int = 0) -> None:
        """Choose the epoch, from 0, and the first batch of the next pass; earlier ones are not loaded."""
        self.batches.set_position(epoch, first)

    def set_seed(self, seed: int) -> None:
        """Set the seed, also for the order of the images unless the sampler has a separate seed."""
        if getattr(self.batches.sampler, 'seed', None) == self.samples.seed:
            self.batches.sampler.seed = seed
        self.samples.seed = seed
