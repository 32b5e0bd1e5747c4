"""A sample of what the data loader gives, without a trace."""

from __future__ import annotations

from mmengine.runner import BaseLoop, Runner

from icckd_mm.randomness import preserved_randomness


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
