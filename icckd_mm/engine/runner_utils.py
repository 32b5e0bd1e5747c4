"""The unwrapped model of a runner, and one sample of its data loader."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import BaseLoop, Runner

from icckd_mm.randomness import preserved_randomness


def unwrapped(runner: Runner) -> Any:
    """The model of a runner, without the wrappers of DDP and of test-time augmentation."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model.module if isinstance(model, BaseTTAModel) else model


def sample_batch(runner: Runner) -> dict:
    """One collated sample of the loop that is about to run; ``before_run`` is called once its loop is built.

    Returns:
        ``inputs`` and ``data_samples`` as the data loader gives them, under test-time augmentation of the first version; random
        generators do not change.
    """
    loop = next(
        loop for loop in (runner._train_loop, runner._val_loop, runner._test_loop) if isinstance(loop, BaseLoop)
    )  # runner.train_loop would build parts that the run does not need
    with preserved_randomness():
        image = loop.dataloader.dataset[0]
        if averages_augmentations(runner):
            image = {name: values[0] for name, values in image.items()}
        return loop.dataloader.collate_fn([image])


def averages_augmentations(runner: Runner) -> bool:
    """Whether the runner tests with test-time augmentation, so that its data set gives several versions of each image."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return isinstance(model, BaseTTAModel)
