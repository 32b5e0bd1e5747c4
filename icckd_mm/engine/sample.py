"""A sample of what the data loader gives, without a trace."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.runner import BaseLoop, Runner


@contextmanager
def preserved_randomness() -> Iterator[None]:
    """Draws inside leave no trace: a run is the same with and without them."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    random.setstate(python)
    np.random.set_state(numpy)


def sample_batch(runner: Runner) -> dict:
    """One collated sample of the loop that is about to run (before_run is called once its loop is built).

    Args:
        runner (Runner): The runner.

    Returns:
        dict: ``inputs`` and ``data_samples`` as the data loader gives them.
    """
    loop = next(
        loop for loop in (runner._train_loop, runner._val_loop, runner._test_loop) if isinstance(loop, BaseLoop)
    )  # runner.train_loop would build what the run does not need
    with preserved_randomness():
        return loop.dataloader.collate_fn([loop.dataloader.dataset[0]])
