"""Checkpoints that hold the whole state of a run, are safe to load and never half-written."""

from __future__ import annotations

import copy
import os
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import get_rank, get_world_size, is_main_process, master_only
from mmengine.hooks import CheckpointHook
from mmengine.runner import BaseLoop, Runner

from icckd_mm.compat.checkpoints.config_text import check_config_text
from icckd_mm.engine.exact.atomic_backend import BACKEND, remove_stale_partials, write_atomically
from icckd_mm.engine.exact.log_history import unpack_history
from icckd_mm.engine.exact.rank_state import rank_states, restore_rank_state
from icckd_mm.engine.exact.serialisation import to_plain, without_functions
from icckd_mm.engine.exact.train_loop import ExactTrainLoop
from icckd_mm.engine.loading.load_check_hook import add_load_check
from icckd_mm.randomness import random_state, set_random_state
from icckd_mm.registry import HOOKS

STOPPED = 'stopped_iter_{}.pth'
OF_THIS_RUN = ('cfg', 'experiment_name', 'mmengine_version')  # known before a file is read


@HOOKS.register_module()
class ExactCheckpointHook(CheckpointHook):
    """``CheckpointHook`` whose files resume a run as if it had never stopped.

    - It stores the generators of python, numpy, torch and the GPU of each process, the position of
      :class:`icckd_mm.ExactTrainLoop`, and accumulated gradients. Validation does not change the generators.
    - Its files hold plain containers and tensors: they open with ``torch.load(weights_only=True)``.
    - A local file is written to a temporary file, read back and renamed (:class:`.AtomicBackend`);
      older files are deleted only after that.

    Goes into the slot ``default_hooks.checkpoint`` of any config of mmengine. Files of the stock hook can be resumed with it,
    and its files with the stock hook (then without the log history and the exactness).

    Args:
        *args: Arguments of :class:`mmengine.hooks.CheckpointHook`.
        **kwargs: Its keyword arguments.
    """

    backend_args: Any
    keep_ckpt_ids: deque

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ranks: list[dict] = []  # state of each process, for the file that is being written
        self.resumed: dict | None = None  # state from which this process resumes
        self.saved: int | None = None  # iterations that the newest file of this training has seen

    def before_run(self, runner: Runner) -> None:
        """Have the next loaded file checked before use, and the text of the config before it is written."""
        add_load_check(runner)
        try:
            check_config_text(runner.message_hub.get_info('cfg', ''))
        except ValueError as error:
            raise ValueError(f'{error}; checkpoints hold the config as text: write a name or a number in it') from None

    def before_train(self, runner: Runner) -> None:
        """Choose the backend, and remove half-written files of a killed run."""
        if not isinstance(runner.train_loop, ExactTrainLoop):
            runner.logger.warning(
                f'a run in a {type(runner.train_loop).__name__} can be resumed, but not exactly: images, and within an epoch '
                "the position, are not those of an undisturbed run; train_cfg=dict(type='icckd_mm.ExactTrainLoop', "
                'max_epochs=N) is exact'
            )
        folder = str(self.out_dir or runner.work_dir)
        if self.backend_args is None and self.file_client_args is None and '://' not in folder:
            self.backend_args = {'backend': BACKEND}
        super().before_train(runner)
        self.saved = None
        self.last_ckpt = runner.message_hub.get_info('last_ckpt', None)  # a better score is noted in it, also after a resume
        if self._is_local() and is_main_process():
            remove_stale_partials(self.out_dir)

    def before_train_epoch(self, runner: Runner) -> None:
        """Restore the generators and gradients of the checkpoint, just before the first batch."""
        if self.resumed is not None:
            restore_rank_state(runner, self.resumed)
            self.resumed = None

    def before_val_epoch(self, runner: Runner) -> None:
        """Store the generators: an additional validation must not change the training."""
        self.before_validation = random_state()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Save the best checkpoint."""
        set_random_state(self.before_validation)
        if isinstance(runner._train_loop, BaseLoop):  # validation may run alone
            super().after_val_epoch(runner, metrics)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add missing state and convert objects to plain containers, after all other hooks have added their part.

        Args:
            runner: The runner.
            checkpoint: What is about to be written; changed in place.
        """
        checkpoint['ranks'] = self.ranks
        if hasattr(runner.train_loop, 'state_dict'):
            checkpoint['train_loop'] = runner.train_loop.state_dict()
        if 'param_schedulers' in checkpoint:
            checkpoint['param_schedulers'] = without_functions(checkpoint['param_schedulers'])
        for name in list(checkpoint):
            checkpoint[name] = to_plain(checkpoint[name], name)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Restore the state in the file, and turn the log history back into mmengine's objects.

        Args:
            runner: The runner.
            checkpoint: What was read; changed in place.
        """
        hub = checkpoint.get('message_hub')
        if isinstance(hub, dict):
            hub['log_scalars'] = OrderedDict((name, unpack_history(value)) for name, value in hub['log_scalars'].items())
            for key in OF_THIS_RUN:
                hub['runtime_info'].pop(key, None)
        if not runner._resume:
            return
        if 'train_loop' in checkpoint and hasattr(runner.train_loop, 'load_state_dict'):
            runner.train_loop.load_state_dict(checkpoint['train_loop'])
        ranks = checkpoint.get('ranks', [])
        if len(ranks) == get_world_size():
            self.resumed = ranks[get_rank()]
        else:
            runner.logger.warning(
                f'the checkpoint has the random generators of {len(ranks)} processes, this run has {get_world_size()}: '
                'it resumes, but not exactly'
            )

    def save_to_stop(self, runner: Runner, epoch: int, iteration: int) -> str:
        """Write a file of this position unless one exists; the next regular checkpoint replaces it.

        Args:
            runner: The runner.
            epoch: Epochs completed.
            iteration: Iterations completed.

        Returns:
            Its path.
        """
        name = STOPPED.format(iteration)
        if self.saved == iteration:
            return str(self.last_ckpt)
        self._write(runner, name, dict(epoch=epoch, iter=iteration))
        return os.path.join(self.out_dir, name)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Write and verify the file, then delete outdated ones; mmengine deletes first."""
        if not self._is_local():
            super()._save_checkpoint_with_step(runner, step, meta)
            return
        kept = list(self.keep_ckpt_ids) if self.max_keep_ckpts > 0 else []
        if self.max_keep_ckpts > 0 and step not in kept:
            kept.append(step)
        # the file lists the outdated ones too: should the run be killed before they are deleted, mmengine does so on resume
        runner.message_hub.update_info('keep_ckpt_ids', list(kept))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = os.path.join(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        self._write(runner, name, meta)
        if self.max_keep_ckpts > 0:
            self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
            _delete(self.out_dir, [self.filename_tmpl.format(old) for old in kept[: -self.max_keep_ckpts]])
        _delete(self.out_dir, _stopped_before(self.out_dir, meta['iter']))

    def _write(self, runner: Runner, name: str, meta: dict) -> None:
        self.ranks = rank_states(runner)
        runner.save_checkpoint(
            self.out_dir,
            name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_atomically(Path(runner.work_dir, 'last_checkpoint'), os.path.join(self.out_dir, name).encode())
        self.saved = meta['iter']

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        self.ranks = []  # it is not resumed from: mmengine leaves the optimizer out
        if not self._is_local():
            super()._save_best_checkpoint(runner, metrics)
            return
        with _postponed_removals(self):
            super()._save_best_checkpoint(runner, metrics)

    def _is_local(self) -> bool:
        return bool(self.backend_args) and self.backend_args.get('backend') == BACKEND


@master_only
def _delete(folder: str, names: list[str]) -> None:
    for name in names:
        Path(folder, name).unlink(missing_ok=True)


def _stopped_before(folder: str, iteration: int) -> list[str]:
    """Files of :meth:`ExactCheckpointHook.save_to_stop` that are not newer than ``iteration``."""
    numbers = (file.stem.rpartition('_')[2] for file in Path(folder).glob(STOPPED.format('*')))
    return [STOPPED.format(number) for number in numbers if number.isdecimal() and int(number) <= iteration]


@contextmanager
def _postponed_removals(hook: ExactCheckpointHook) -> Iterator[None]:
    """Postpone the removals of the hook's backend to the end of the block, if nothing failed in it."""
    backend = hook.file_backend
    noted: list[str] = []
    patient = copy.copy(backend)
    vars(patient)['remove'] = noted.append
    hook.file_backend = patient
    try:
        yield
    finally:
        hook.file_backend = backend
    for path in noted:
        backend.remove(path)
