"""Checks before training that a run on several processes can use the intra-class loss."""

from __future__ import annotations

from mmengine.hooks import EMAHook, SyncBuffersHook
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner

from icckd_mm.functional.tensor.gather import largest_batch


def check_processes(runner: Runner) -> None:
    """Raise if a hook or wrapper would make the queues of the processes differ; also checked on one process.

    Args:
        runner: The runner, with its hooks registered.

    Raises:
        ValueError: If a hook averages buffers, or the model is sharded.
    """
    _check_runner(runner)
    _check_hooks(runner)


def agreed_batch_size(runner: Runner) -> int | None:
    """The largest ``batch_size`` of the training loaders of all processes; None if a loader has no such attribute.

    Args:
        runner: The runner, all processes of which call this.

    Returns:
        The same on every process.
    """
    loader = runner.train_dataloader
    size = getattr(getattr(loader, 'batch_sampler', loader), 'batch_size', None)  # DeviceLoader has no batch sampler
    unknown = 2**62  # larger than every size, so that all processes see it
    found = largest_batch(size if isinstance(size, int) else unknown, next(runner.model.parameters()).device)
    return None if found == unknown else found


def _check_runner(runner: Runner) -> None:
    if not isinstance(runner, Runner):
        raise ValueError(
            f'IntraClassContrastHook needs the plain Runner, got {type(runner).__name__}: it wraps the model and loads the '
            'checkpoint before a hook can attach the queue, so FSDP and DeepSpeed would not know of the queue and a resume '
            'would leave it empty; leave out runner_type and strategy'
        )
    if is_model_wrapper(runner.model) and not isinstance(runner.model, MMDistributedDataParallel):
        raise ValueError(
            f'IntraClassContrastHook works with MMDistributedDataParallel, got the model in a {type(runner.model).__name__}: '
            'FSDP, DeepSpeed and ColossalAI shard the weights before the hook can attach the queue; leave out '
            'model_wrapper_cfg'
        )


def _check_hooks(runner: Runner) -> None:
    for hook in runner.hooks:
        if isinstance(hook, SyncBuffersHook):
            raise ValueError(
                f'{type(hook).__name__} averages all buffers over the processes, also the pointers of the queue of '
                'IntraClassContrastHook; remove it (the queue is the same on all processes), and for batch norm over all of '
                "them set sync_bn='torch'"
            )
        if isinstance(hook, EMAHook) and hook.ema_cfg.get('update_buffers'):
            raise ValueError(
                f'{type(hook).__name__}(update_buffers=True) averages the entries of the queue of IntraClassContrastHook with '
                'those they replace, features of other images, and the averages are not unit vectors; leave update_buffers '
                'out: buffers are then copied from the model'
            )
