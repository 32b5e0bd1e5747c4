"""Checks a loaded checkpoint before it is used."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner, find_latest_checkpoint

from icckd_mm.engine.loading.config_differences import in_words, network_differences
from icckd_mm.engine.loading.new_schedule import follow_config
from icckd_mm.engine.loading.overruled import overruled_options
from icckd_mm.engine.loading.run_state import check_run_state
from icckd_mm.engine.loading.weights_fit import (
    check_resumed_weights,
    check_starting_weights,
    check_tested_weights,
    load_and_compare,
)
from icckd_mm.engine.loading.wrapped_names import without_wrappers
from icckd_mm.engine.runner_utils import unwrapped


class LoadCheckHook(Hook):
    """Refuses checkpoints that do not belong to the run; mmengine would train or test with random weights.

    A resumed file must fit in all its parts. ``load_from`` must have weights of the backbone. A test needs every weight of the
    network and no other. Comes before all other hooks, some of which take over parts of the file.

    Args:
        new_schedule: Whether a resumed run follows optimizer settings and schedules of its config, not of the file.
    """

    priority = 'HIGHEST'

    def __init__(self, new_schedule: bool = False) -> None:
        self.new_schedule = new_schedule

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the file with the run.

        Args:
            runner: The runner.
            checkpoint: What was read; it has passed the gate of :mod:`icckd_mm.compat.checkpoints.gate`.

        Raises:
            ValueError: If the file does not belong to the run.
        """
        resume = runner._resume
        name = str(runner._load_from or (find_latest_checkpoint(runner.work_dir) if resume else 'the checkpoint'))
        if resume and self.new_schedule:
            follow_config(runner, checkpoint)
        if resume:
            check_run_state(runner, checkpoint, name)
        model = unwrapped(runner)
        weights = checkpoint.get('state_dict', checkpoint)
        if any(not isinstance(key, str) for key in weights):
            raise ValueError(f'{name} does not hold weights by name; give a checkpoint')
        fit = load_and_compare(model, weights)
        meta = checkpoint.get('meta')
        settings = network_differences(meta.get('cfg') if isinstance(meta, dict) else None, runner.cfg.get('model'))
        fit.settings = f'{in_words(settings)}. ' if settings else ''
        bare = without_wrappers(weights)
        if bare.keys() != weights.keys():  # the names that the runner itself will look for
            checkpoint['state_dict'] = bare
        if resume:
            check_resumed_weights(name, fit)
            states, schedules = checkpoint.get('param_schedulers'), runner.param_schedulers
            for line in (
                [] if self.new_schedule else overruled_options(checkpoint['meta'].get('cfg'), runner.cfg, states, schedules)
            ):
                runner.logger.warning(line)
        elif isinstance(runner._train_loop, BaseLoop):
            check_starting_weights(name, fit)
        else:
            check_tested_weights(name, fit, distilled=hasattr(model, 'architecture'))


def add_load_check(runner: Runner, new_schedule: bool = False) -> None:
    """Add the check to a runner, once.

    Args:
        runner: A runner that has not loaded yet.
        new_schedule: As in :class:`LoadCheckHook`.
    """
    if isinstance(runner, Runner) and not any(isinstance(hook, LoadCheckHook) for hook in runner.hooks):
        runner.register_hook(LoadCheckHook(new_schedule))
