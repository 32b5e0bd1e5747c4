"""Describes a NaN or infinity: iteration, loss, module, images, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mmengine.fileio import exists
from mmengine.runner import Runner, find_latest_checkpoint
from torch import Tensor

from icckd_mm.datasets.repeatable import EpochIndex
from icckd_mm.datasets.wrappers.places import numbered_dataset
from icckd_mm.engine.finite.guarded_step import Fault
from icckd_mm.engine.finite.non_finite import NonFiniteError, bad_losses, first_bad_module, sample_indices
from icckd_mm.engine.runner_utils import unwrapped

ADVICE = 'Fix the images named, lower the learning rate or clip gradients; FiniteGuardHook(skip=n) skips up to n updates'
SHOWN = 16


class Step(NamedTuple):
    """A recorded training step.

    Attributes:
        iteration: From 0.
        epoch: From 0.
        batch: What the data loader gave, with or without the images.
        losses: What ``train_step`` returned, detached.
    """

    iteration: int
    epoch: int
    batch: Any
    losses: dict[str, Tensor]


def fault_error(runner: Runner, fault: Fault, steps: Iterable[Step], stored: bool) -> NonFiniteError:
    """The error that describes a fault; runs the batch once more to find the module.

    Args:
        runner: The runner; not changed.
        fault: What was found.
        steps: The last steps of this process.
        stored: Whether they have the images; if not, they are loaded from the training data again.

    Returns:
        The error, to be raised or logged.
    """
    model = unwrapped(runner)
    step = next((step for step in steps if step.iteration == fault.iteration), None)
    epoch, batch, losses = (step.epoch + 1, step.batch, bad_losses(step.losses)) if step else ('?', None, {})
    samples = sample_indices(batch)
    again = None if stored or step is None else [EpochIndex(sample, step.epoch) for sample in samples]
    module, rows, how = _locate(runner, model, batch, again)
    if module is not None:
        samples = sorted({samples[row % len(samples)] for row in rows}) if samples else samples
        where = 'the images, after the data preprocessor' if module == 'data_preprocessor' else module
    elif fault.parameters and not losses:  # backward runs from the last layer to the first
        module = fault.parameters[-1]
        where = f'none, all outputs are finite; first gradient: {module}'
    else:
        where = f'not found {how}'
    weights = [name for name, weight in model.named_parameters() if not weight.isfinite().all()]
    blame = f'; weights that are not finite already: {", ".join(weights[:3])}' if weights else ''
    what = ', '.join(f'{name} = {value}' for name, value in losses.items()) or 'the gradient is not finite'
    shown = ', '.join(map(str, samples[:SHOWN])) + (f' and {len(samples) - SHOWN} more' if len(samples) > SHOWN else '')
    return NonFiniteError(
        f'iteration {fault.iteration + 1} (epoch {epoch}): {what}; first bad module: {where}{blame}; '
        f'images (sample_idx): {shown or "unknown"}; that update was left out; '
        f'{last_file(runner)}. {ADVICE}',
        iteration=fault.iteration + 1,
        losses=list(losses),
        module=module,
        samples=samples,
    )


def last_file(runner: Runner) -> str:
    """A phrase that names the checkpoint to resume from."""
    file = runner.message_hub.get_info('last_ckpt')  # set before the file is written
    if file is None or not exists(file):
        file = find_latest_checkpoint(runner.work_dir)
    return f'the last good checkpoint is {file}' if file else 'there is no checkpoint yet'


def _locate(runner: Runner, model: Any, batch: Any, samples: Sequence[int] | None) -> tuple[str | None, list[int], str]:
    """Name of the first bad module, rows of its output, and what to say if there is none."""
    if batch is None:
        return None, [], 'on this process'
    try:
        if samples is not None:
            loader = runner.train_dataloader
            dataset = numbered_dataset(loader)
            if dataset is None:
                return None, [], f'({type(loader.dataset).__name__} numbers its images several times)'
            batch = loader.collate_fn([dataset[index] for index in samples])
        found = first_bad_module(model, batch, lambda: runner.optim_wrapper.optim_context(runner.model))
    except Exception as error:  # an error of the search must not hide the fault
        return None, [], f'({type(error).__name__} when the batch was run again: {error})'
    return (*found, '') if found else (None, [], 'when the batch was run again')
