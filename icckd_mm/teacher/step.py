"""A training step of a classifier with the intra-class loss, from inputs and samples to losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Union, cast

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from icckd_mm.engine.classifier_layers import ClassifierLayers
from icckd_mm.models.losses import IntraClassContrastiveLoss
from icckd_mm.structures import PreparedSamples, labels_of

from .second_views import SECOND_VIEWS, SecondView
from .tap import Tap

Losses = dict[str, Tensor]
Finish = Callable[[Losses, Tensor, Tensor], Losses]  # the classifier's own losses, features and logits to all losses
HeadOutput = Union[Tensor, Sequence['HeadOutput']]


class TeacherStep:
    """What :class:`icckd_mm.IntraClassContrastHook` adds to a training step of a classifier.

    Args:
        tap: Reads the classifier's passes.
        view: Where positives come from.
        ce_views: Which views the classifier's own loss sees, ``'first'`` or ``'both'``.
        device: Device of the classifier.

    Attributes:
        weight (Tensor): Scalar factor of the loss, set before each step. As a number it would make torch.compile build a graph
            for each value.
    """

    def __init__(self, tap: Tap, view: SecondView, ce_views: str, device: torch.device) -> None:
        self.tap, self.view, self.ce_views = tap, view, ce_views
        self.weight = torch.ones((), device=device)

    def losses(
        self, classifier: nn.Module, inputs: Tensor, samples: list[DataSample]
    ) -> tuple[Tensor, list[DataSample], Finish]:
        """The step before the classifier's own pass; returns the part that follows it.

        Args:
            classifier: In training mode, with its ``icc_loss``.
            inputs: All views ``(views * N, 3, H, W)``, view 1 first.
            samples: The N data samples.

        Returns:
            Inputs and data samples of the classifier's own pass, and the second part, which takes what that pass gives: its
            losses, features and logits.

        Raises:
            ValueError: If inputs and labels differ in number, or labels are mixed.
        """
        labels, loss = class_labels(samples), attached_loss(classifier)
        rows = len(labels)
        check_rows(inputs, rows, self.view.loader_views)
        passed, positives_of = self.view.begin(inputs, samples, loss, partial(self.tap.encode, classifier))

        def after_the_pass(own: Losses, features: Tensor, logits: Tensor) -> Losses:
            anchors, logits, positives = features[:rows], logits[:rows], positives_of(features)
            icc = loss(anchors, positives, logits, labels)
            return {**own, 'loss_icc': self.weight * icc, 'icc_pass': loss.pass_share(logits, labels)}

        return passed, [*samples, *samples] if self.ce_views == 'both' else samples, after_the_pass


def attach(
    classifier: nn.Module, layers: ClassifierLayers, second_view: str, ce_views: str, num_images: int = 0
) -> TeacherStep:
    """Hook the step around the forward pass of ``classifier``, whose submodule ``icc_loss`` is the loss.

    Acts in training mode with ``mode='loss'`` only. The hooks are plain closures: ``copy.deepcopy`` of the classifier (EMA)
    would copy the owner of a bound method.

    Args:
        classifier: The classifier itself, not its DDP wrapper.
        layers: Where features and logits are.
        second_view: A key of ``SECOND_VIEWS``.
        ce_views: ``'first'`` or ``'both'``.
        num_images: Images that ``sample_idx`` numbers, for a view that stores a feature of each.

    Returns:
        The step, to set its weight.
    """
    view, tap = SECOND_VIEWS[second_view], Tap(layers)
    step = TeacherStep(tap, view, ce_views, next(classifier.parameters()).device)
    loss, under_way = attached_loss(classifier), list[Finish]()
    for name, store in view.stores(num_images, layers.feat_dims).items():
        loss.add_module(name, store.to(step.weight.device))

    def before(module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        call = training_call(module, args, kwargs)
        if call is None:
            return None
        inputs, samples, after_the_pass = step.losses(module, *call)
        under_way[:] = [after_the_pass]  # replaces one left by a pass that failed
        tap.open()
        return (inputs, samples), {'mode': 'loss'}

    def after_head(module: nn.Module, args: tuple, output: HeadOutput) -> HeadOutput | None:
        """Only view 1 reaches cross-entropy and accuracy; head and batch norm have seen the batch of 2N."""
        return first_half(output) if tap.is_open else None

    def after(module: nn.Module, args: tuple, kwargs: dict, output: Losses) -> Losses | None:
        return None if training_call(module, args, kwargs) is None else under_way.pop()(output, *tap.close())

    classifier.register_forward_pre_hook(before, with_kwargs=True)
    if view.shares_batch and ce_views == 'first':
        cast(nn.Module, classifier.head).register_forward_hook(after_head)
    classifier.register_forward_hook(after, with_kwargs=True)
    return step


def attached_loss(classifier: nn.Module) -> IntraClassContrastiveLoss:
    """The loss that the hook has attached to ``classifier``."""
    return cast(IntraClassContrastiveLoss, classifier.icc_loss)


def training_call(classifier: nn.Module, args: tuple, kwargs: dict) -> tuple[Tensor, Any] | None:
    """``inputs`` and ``data_samples`` of a call, by position or keyword; None if it does not compute losses to train with."""
    given = dict(zip(('inputs', 'data_samples', 'mode'), args), **kwargs)
    trains = classifier.training and given.get('mode') == 'loss'
    return (given['inputs'], given.get('data_samples')) if trains else None


def class_labels(samples: Sequence[DataSample] | None) -> Tensor:
    """The labels ``(N,)`` of mmpretrain's data samples.

    Raises:
        ValueError: If there are none or several, or if they were mixed.
    """
    if not samples or 'gt_label' not in samples[0]:
        raise ValueError('the intra-class loss needs gt_label in every data sample; add PackInputs to the training pipeline')
    if 'gt_score' in samples[0]:
        raise ValueError(
            'data samples carry gt_score (mixup, cutmix or one-hot labels): such an image belongs to no class; '
            'remove model.train_cfg.augments and to_onehot'
        )
    if not isinstance(samples, PreparedSamples) and any(len(sample.gt_label) != 1 for sample in samples):
        raise ValueError('data samples carry several labels each (multi-label data): the intra-class loss needs one class')
    return labels_of(samples)


def check_rows(inputs: Tensor, rows: int, views: int) -> None:
    """Raise ``ValueError`` unless ``inputs`` holds ``views`` views of ``rows`` images."""
    if inputs.size(0) != views * rows:
        raise ValueError(f'{views} view(s) of {rows} images need {views * rows} rows, the batch has {inputs.size(0)}')


def first_half(output: HeadOutput) -> HeadOutput:
    """The rows of view 1 in a head's output; some heads return several logits."""
    if isinstance(output, (tuple, list)):
        return type(output)(first_half(item) for item in output)
    return output[: len(output) // 2]
