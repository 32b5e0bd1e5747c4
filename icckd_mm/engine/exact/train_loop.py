"""Training loop that can be interrupted and resumed at any iteration."""

from __future__ import annotations

from typing import Any

from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn

from icckd_mm.datasets.batch_count import check_batches
from icckd_mm.datasets.repeatable import RepeatableLoader
from icckd_mm.registry import LOADERS, LOOPS


@LOOPS.register_module()
class ExactTrainLoop(EpochBasedTrainLoop):
    """``EpochBasedTrainLoop`` that resumes at the same iteration, with the same images.

    The augmentation of an image is a function of (seed, epoch, index), see :class:`icckd_mm.datasets.RepeatableDataset`; a run
    that resumes within an epoch skips the batches already seen, without loading them; an epoch whose validation was
    interrupted is validated first. Use it with :class:`icckd_mm.ExactCheckpointHook`, which stores the rest.

    Args:
        runner: The runner.
        dataloader: Config of the training loader; with a ``type``, of :class:`icckd_mm.DeviceLoader`.
        max_epochs: Epochs of training.
        val_begin: First epoch that is validated, from 1. Defaults to 1.
        val_interval: Epochs between two validations; the last epoch always is validated. Defaults to 1.
        dynamic_intervals: ``(epoch, interval)``: other intervals from that epoch on.
            Defaults to None.

    Raises:
        TypeError: If ``dataloader`` is not a config.
        ValueError: If the loader cannot repeat its samples or gives no batch, or a checkpoint was left within an epoch of
            another length.
    """

    _iter: int

    def __init__(
        self,
        runner: Runner,
        dataloader: dict,
        max_epochs: int,
        val_begin: int = 1,
        val_interval: int = 1,
        dynamic_intervals: list[tuple[int, int]] | None = None,
    ) -> None:
        if not isinstance(dataloader, dict):
            raise TypeError(
                f'ExactTrainLoop builds the loader itself, got a {type(dataloader).__name__}; give train_dataloader as a dict'
            )
        loader = _build(runner, dataloader)
        check_batches(loader)
        super().__init__(runner, loader, max_epochs, val_begin, val_interval, dynamic_intervals)
        self.validated = 0  # the last epoch that was validated
        self.resumed_length: int | None = None  # batches per epoch of the resumed run

    def state_dict(self) -> dict[str, Any]:
        """State that the checkpoint keeps in addition to epoch and iteration."""
        return {'validated': self.validated, 'epoch_length': len(self.dataloader)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state of :meth:`state_dict`."""
        self.validated, self.resumed_length = state['validated'], state['epoch_length']

    def run(self) -> nn.Module:
        """Train from the runner's current position.

        Returns:
            The model.
        """
        self._take_position()
        self.runner.call_hook('before_train')
        self._validate_if_due()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._decide_current_val_interval()
            self._validate_if_due()
        self.runner.call_hook('after_train')
        return self.runner.model

    def run_epoch(self) -> None:
        """Train one epoch, or what is left of it."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        first = self._iter - self._epoch * len(self.dataloader)
        self.dataloader.set_position(self._epoch, first)
        for index, batch in enumerate(self.dataloader, start=first):
            self.run_iter(index, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _validate_if_due(self) -> None:
        within = self._iter != self._epoch * len(self.dataloader)
        if self.runner.val_loop is None or within or self._epoch < max(self.val_begin, self.validated + 1):
            return
        if self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs:
            self.validated = self._epoch  # so that a checkpoint written at the end of the validation says so
            self.runner.val_loop.run()

    def _take_position(self) -> None:
        """Make epoch, iteration and seed agree with the resumed run."""
        length = len(self.dataloader)
        self.dataloader.set_seed(self.runner.seed)  # changes if none was given and the checkpoint has one
        before = self.resumed_length or length
        if before != length:
            if self._iter != self._epoch * before:
                raise ValueError(
                    f'the checkpoint was written at iteration {self._iter - self._epoch * before} of {before} of an epoch, '
                    f'which now has {length}; resume with the same data, batch size and number of processes, or from a '
                    'checkpoint of the end of an epoch'
                )
            self.runner.logger.warning(f'an epoch had {before} iterations, now {length}: the run resumes, but not exactly')
            self._iter = self._epoch * length
        if not 0 <= self._iter - self._epoch * length <= length:  # of a loop that counts differently
            self.runner.logger.warning(f'iteration {self._iter} is not in epoch {self._epoch + 1}: its epoch starts again')
            self._iter = self._epoch * length


def _build(runner: Runner, config: dict) -> Any:
    if 'type' in config:
        options = {key: value for key, value in config.items() if key != 'type'}
        kind: Any = LOADERS.get(config['type'])
        if kind is None:
            raise ValueError(f"train_dataloader.type is {config['type']!r}; give 'icckd_mm.DeviceLoader' or leave it out")
        return kind(**options, seed=runner.seed, device=next(runner.model.parameters()).device)
    different = runner._randomness_cfg.get('diff_rank_seed', False)
    return RepeatableLoader(runner.build_dataloader(config, seed=runner.seed, diff_rank_seed=different), runner.seed)
