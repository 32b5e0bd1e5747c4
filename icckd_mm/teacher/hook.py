"""Trains any mmpretrain classifier as an intra-class contrastive teacher."""

from __future__ import annotations

import inspect
from typing import Any

from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import BaseLoop, Runner

from icckd_mm.datasets.class_names import check_labels
from icckd_mm.datasets.wrappers.places import count_places
from icckd_mm.engine.classifier_layers import ClassifierLayers, find_layers
from icckd_mm.engine.runner_utils import sample_batch, unwrapped
from icckd_mm.models.losses import IntraClassContrastiveLoss
from icckd_mm.registry import HOOKS, MODELS

from .process_checks import agreed_batch_size, check_processes
from .second_views import DROPPED, SECOND_VIEWS, check_second_view
from .step import attach
from .view_checks import check_views, warn_of_equal_views


@HOOKS.register_module()
class IntraClassContrastHook(Hook):
    """Adds the intra-class contrastive loss to a classifier's training, without a change to the model's config.

    The loss becomes the submodule ``icc_loss`` of the classifier before weights are loaded, so its queue is in the checkpoint
    and is resumed; the file stays a stock mmpretrain classifier otherwise. The training loader must give two views of each
    image (``MultiView`` with ``num_views=2``) and the model must use :class:`icckd_mm.TwoViewDataPreprocessor`. Logs
    ``loss_icc`` and the statistics of :meth:`IntraClassContrastiveLoss.statistics`; ``loss`` in the log is the classifier's own
    (mmengine optimises the sum of both).

    Args:
        loss: Config of :class:`icckd_mm.IntraClassContrastiveLoss`; ``num_classes`` and ``feat_dims`` are read from the
            model when left out.
        features: Name of the module whose output are the features. Defaults to None: the input of the layer
            that gives the logits.
        logits: Name of the module whose output are the logits. Defaults to None: the last ``nn.Linear`` that
            the forward pass calls.
        second_view: Where the positive of an image comes from. ``'grad'``: both views go through the network as one batch
            of 2N, both with gradient (as in the paper, twice the cost of a step). The others give no gradient and do not update
            batch-norm statistics. ``'no_grad'``: a separate pass of view 2 (1.33 times the cost). ``'bank'``: the image's
            feature of the last epoch (1.0, and 2 D bytes per image; the loader gives one view). These costs are
            computed; docs/performance.md has measured ones. Defaults to ``'grad'``.
        ce_views: Which views the classifier's own loss sees, ``'first'`` or ``'both'``. Defaults to ``'first'`` (our
            choice: it separates the effect of the loss from that of more augmentation).
        begin: When the loss starts, in epochs, or iterations if not ``by_epoch``. Defaults to 0.
        warmup: How long its weight rises from 0 to the full value, in the same unit. Defaults to 0.
        by_epoch: Whether ``begin`` and ``warmup`` count epochs. Defaults to True.
        log_interval: Iterations between two reads of the queue's statistics, which are also read whenever mmengine's
            ``LoggerHook`` writes a line. ``icc_pass`` is averaged like ``loss_icc``. Defaults to 10.

    Raises:
        ValueError: If an argument is out of range, or, before training, if model, data or names do not fit.
    """

    priority = 'VERY_HIGH'  # before EMAHook copies the model, so that the copy has the same buffers

    def __init__(
        self,
        loss: dict,
        features: str | None = None,
        logits: str | None = None,
        second_view: str = 'grad',
        ce_views: str = 'first',
        begin: float = 0,
        warmup: float = 0,
        by_epoch: bool = True,
        log_interval: int = 10,
    ) -> None:
        if second_view not in DROPPED:  # refused in training only: a model trained with one can still be tested
            check_second_view(second_view)
        if ce_views not in ('first', 'both'):
            raise ValueError(f"ce_views must be 'first' or 'both', got {ce_views!r}")
        if ce_views == 'both' and second_view != 'grad':
            raise ValueError("ce_views='both' needs second_view='grad': without gradient view 2 cannot learn")
        for name, value in (('begin', begin), ('warmup', warmup)):
            if not value >= 0:
                raise ValueError(f'{name} must be at least 0, got {value!r}')
        if log_interval < 1:
            raise ValueError(f'log_interval must be at least 1, got {log_interval!r}')
        self.loss, self.features, self.logits = loss, features, logits
        self.second_view, self.ce_views = second_view, ce_views
        self.begin, self.warmup, self.by_epoch, self.log_interval = begin, warmup, by_epoch, log_interval

    def before_run(self, runner: Runner) -> None:
        """Attach the loss, also for validation and test, so that the keys of the checkpoint always match."""
        model = unwrapped(runner)
        if hasattr(self, 'step'):  # the same runner trains and then tests
            return
        if hasattr(model, 'icc_loss'):
            raise ValueError('the model has an icc_loss already; list IntraClassContrastHook once in custom_hooks')
        trains = isinstance(runner._train_loop, BaseLoop)
        if trains:
            check_second_view(self.second_view)
        check_processes(runner)
        batch = sample_batch(runner)
        name = 'no_grad' if self.second_view in DROPPED else self.second_view  # a second view is needed in training only
        view = SECOND_VIEWS[name]
        if trains:
            check_views(model, batch, view)
            warn_of_equal_views(runner)
            if view.shares_batch and 'target' in inspect.signature(model.head.forward).parameters:
                raise ValueError(
                    f'{type(model.head).__name__} takes the labels in its forward pass, where both views would need them; '
                    "set second_view='no_grad'"
                )
        inputs = model.data_preprocessor(batch, False)['inputs']
        layers = find_layers(model, inputs, self.features, self.logits)
        model.icc_loss = self._build_loss(layers).to(inputs.device)
        num_images = count_places(runner.train_dataloader, f'second_view={name!r}') if trains and view.needs_index else 0
        self.step = attach(model, layers, name, self.ce_views, num_images)
        _average_as_losses(runner, 'icc_pass')

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Leave out the averaged network that version 0.1.0 kept for ``second_view='momentum'``."""
        for part in ('state_dict', 'ema_state_dict'):
            state = checkpoint.get(part, {})
            for key in [key for key in state if 'icc_loss.encoder.' in key]:
                del state[key]

    def before_train(self, runner: Runner) -> None:
        """Check the labels of the whole data set and the batch sizes once; checks in each step would stall a GPU."""
        loss = unwrapped(runner).icc_loss
        loss.batch_size = agreed_batch_size(runner)
        check_labels(runner.train_dataloader.dataset, loss.queue.num_classes)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the weight of this iteration from the runner's counters, so that a resumed run has the same."""
        now = runner.iter / len(runner.train_dataloader) if self.by_epoch else runner.iter
        self.step.weight.fill_(ramp(now, self.begin, self.warmup))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Read the queue's statistics every ``log_interval`` iterations, and when a line of the log is about to be written."""
        written = self.end_of_epoch(runner.train_dataloader, batch_idx) or any(
            isinstance(hook, LoggerHook) and hook.every_n_inner_iters(batch_idx, hook.interval) for hook in runner.hooks
        )
        if written or self.every_n_train_iters(runner, self.log_interval):
            for name, value in unwrapped(runner).icc_loss.queue_statistics().items():
                runner.message_hub.update_scalar(f'train/{name}', value)

    def _build_loss(self, layers: ClassifierLayers) -> IntraClassContrastiveLoss:
        found = {'num_classes': layers.num_classes, 'feat_dims': layers.feat_dims}
        for name, size in found.items():
            if self.loss.get(name, size) != size:
                raise ValueError(
                    f'loss.{name}={self.loss[name]}, but the model has {size}; leave it out, it is read from the model'
                )
        loss = MODELS.build({**found, **self.loss})
        if list(loss.parameters()):
            raise ValueError(
                f'{type(loss).__name__} has parameters, but the optimizer is already built when this hook attaches it; '
                'put a learnable projector into a custom head'
            )
        return loss


def ramp(now: float, begin: float, warmup: float) -> float:
    """Fraction of the weight at time ``now``: 0 until ``begin``, linear up to 1 at ``begin + warmup``."""
    if now < begin:
        return 0.0
    return 1.0 if now >= begin + warmup else (now - begin) / warmup


def _average_as_losses(runner: Runner, name: str) -> None:
    """Let the log show ``name`` averaged over the window of the losses, not its value of one iteration."""
    processor = runner.log_processor
    processor.custom_cfg.append(dict(data_src=name, method_name='mean', window_size=processor.window_size))
