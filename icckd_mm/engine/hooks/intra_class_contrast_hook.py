"""Trains any mmpretrain classifier as an intra-class contrastive teacher."""

from __future__ import annotations

import inspect
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from icckd_mm.datasets.nesting import labelled_datasets
from icckd_mm.datasets.places import count_places
from icckd_mm.engine.classifier_layers import ClassifierLayers, find_layers
from icckd_mm.engine.contrast_step import attach, class_labels
from icckd_mm.engine.process_checks import agreed_batch_size, check_processes
from icckd_mm.engine.sample import sample_batch
from icckd_mm.engine.second_views import SECOND_VIEWS, average_encoder
from icckd_mm.engine.unwrap import unwrapped
from icckd_mm.models.data_preprocessors import TwoViewDataPreprocessor
from icckd_mm.models.data_preprocessors.two_view import views_of
from icckd_mm.models.losses import IntraClassContrastiveLoss
from icckd_mm.registry import HOOKS, MODELS


@HOOKS.register_module()
class IntraClassContrastHook(Hook):
    """Adds the intra-class contrastive loss to a classifier's training, without a change to the model's config.

    The loss becomes the submodule ``icc_loss`` of the classifier before weights are loaded, so its queue is in the checkpoint
    and is resumed; the file stays a stock mmpretrain classifier otherwise. The training loader must give two views of each
    image (``MultiView`` with ``num_views=2``) and the model must use :class:`icckd_mm.TwoViewDataPreprocessor`. Logs
    ``loss_icc`` and the statistics of :meth:`IntraClassContrastiveLoss.statistics`; ``loss`` in the log is the classifier's own
    (mmengine optimises the sum of both).

    Args:
        loss (dict): Config of :class:`icckd_mm.IntraClassContrastiveLoss`; ``num_classes`` and ``feat_dims`` are read from the
            model when left out.
        features (str, optional): Name of the module whose output are the features. Defaults to None: the input of the layer
            that gives the logits.
        logits (str, optional): Name of the module whose output are the logits. Defaults to None: the last ``nn.Linear`` that
            the forward pass calls.
        second_view (str): Where the positive of an image comes from. ``'grad'``: both views go through the network as one batch
            of 2N and both learn (the paper's form, twice the cost of a step). In the others it gives no gradient, and its
            batch-norm statistics do not count. ``'no_grad'``: a pass of view 2 (1.33 times the cost). ``'half'``: of half the
            batch, the halves in turn; only they are anchors (1.17). ``'small'``: at three quarters of the side (1.19).
            ``'momentum'``: through a moving average of the network (1.33, and a copy of the network in memory). ``'bank'``:
            the feature that the image had in the last epoch (1.0, and 2 D bytes an image; the loader gives one view). The
            costs are arithmetic; docs/performance.md has measured ones. Defaults to ``'grad'``.
        ce_views (str): Which views the classifier's own loss sees, ``'first'`` or ``'both'``. Defaults to ``'first'`` (our
            choice: it keeps the effect of the loss apart from that of more augmentation).
        begin (float): When the loss sets in, in epochs, or iterations if not ``by_epoch``. Defaults to 0.
        warmup (float): How long its weight rises from 0 to the full value, likewise. Defaults to 0.
        by_epoch (bool): Whether ``begin`` and ``warmup`` count epochs. Defaults to True.
        log_interval (int): Iterations between two logs of the statistics. Defaults to 10.

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
        if second_view not in SECOND_VIEWS:
            raise ValueError(f'second_view must be one of {", ".join(SECOND_VIEWS)}, got {second_view!r}')
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
        check_processes(runner)
        batch = sample_batch(runner)
        if isinstance(runner._train_loop, BaseLoop):
            _check_views(model, batch, SECOND_VIEWS[self.second_view].loader_views)
            if self.second_view == 'grad' and 'target' in inspect.signature(model.head.forward).parameters:
                raise ValueError(
                    f'{type(model.head).__name__} takes the labels in its forward pass, where both views would need them; '
                    "set second_view='no_grad'"
                )
        inputs = model.data_preprocessor(batch, False)['inputs']
        layers = find_layers(model, inputs, self.features, self.logits)
        model.icc_loss = self._build_loss(layers).to(inputs.device)
        self.step = attach(model, layers, self.second_view, self.ce_views, _num_images(runner, self.second_view))

    def before_train(self, runner: Runner) -> None:
        """Look once at the labels of the whole data set and at the batch sizes; later that would stall a GPU."""
        if runner.iter == 0:
            average_encoder(unwrapped(runner), momentum=0)  # of the weights that training starts from
        unwrapped(runner).icc_loss.batch_size = agreed_batch_size(runner)
        num_classes = unwrapped(runner).icc_loss.queue.num_classes
        for dataset in labelled_datasets(runner.train_dataloader.dataset):
            labels = dataset.get_gt_labels()
            if len(labels) and (labels.min() < 0 or labels.max() >= num_classes):
                raise ValueError(
                    f'labels of {type(dataset).__name__} run from {labels.min()} to {labels.max()}, but the head has '
                    f'{num_classes} classes; set head.num_classes={labels.max() + 1} or mend the annotation'
                )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the weight of this iteration from the runner's counters, so that a resumed run has the same."""
        now = runner.iter / len(runner.train_dataloader) if self.by_epoch else runner.iter
        self.step.weight.fill_(ramp(now, self.begin, self.warmup))
        self.step.number = runner.iter % 2

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Move the averaged encoder on; log the statistics every ``log_interval`` iterations."""
        average_encoder(unwrapped(runner))
        if self.every_n_train_iters(runner, self.log_interval):
            for name, value in unwrapped(runner).icc_loss.statistics(self.step.logits, self.step.labels).items():
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
                'put a learnable projector into a head of your own'
            )
        return loss


def ramp(now: float, begin: float, warmup: float) -> float:
    """The share of the weight at time ``now``: 0 until ``begin``, linear up to 1 at ``begin + warmup``."""
    if now < begin:
        return 0.0
    return 1.0 if now >= begin + warmup else (now - begin) / warmup


def _num_images(runner: Runner, second_view: str) -> int:
    """Rows of a memory of the training set; 0 if the runner does not train or nothing is kept of an image."""
    if second_view != 'bank' or not isinstance(runner._train_loop, BaseLoop):
        return 0
    return count_places(runner.train_dataloader, "second_view='bank'")


def _check_views(model: Any, batch: dict, views: int) -> None:
    if getattr(model, 'head', None) is None:
        raise ValueError(f'IntraClassContrastHook trains classifiers with a head, got {type(model).__name__}')
    class_labels(batch['data_samples'])
    found = len(views_of(batch['inputs']))
    if views == 1:
        if found != 1 or 'sample_idx' not in batch['data_samples'][0]:
            raise ValueError(
                f"second_view='bank' needs one view of each image and its sample_idx, the training pipeline gives {found} "
                "view(s); take MultiView out, and leave 'sample_idx' in the meta_keys of PackInputs"
            )
        return
    if not isinstance(model.data_preprocessor, TwoViewDataPreprocessor):
        raise ValueError(
            f'model.data_preprocessor is a {type(model.data_preprocessor).__name__}, which cannot stack two views; '
            "set data_preprocessor=dict(type='icckd_mm.TwoViewDataPreprocessor', ...)"
        )
    if found != 2:
        raise ValueError(
            'the training pipeline gives one view of each image, two are needed; wrap its augmentation in '
            "dict(type='MultiView', num_views=2, transforms=[[...]])"
        )
