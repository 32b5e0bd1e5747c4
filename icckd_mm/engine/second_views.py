"""Ways to the positive of each image, and what they cost in passes through the network."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.modules.batchnorm import _BatchNorm

from icckd_mm.models.queues import FeatureBank

SMALL = 0.75  # side of the smaller view 2; its pass costs 0.56 of a full one
MOMENTUM = 0.999  # of the averaged encoder, as in MoCo


class WithGradient:
    """Both views in one batch of 2N, both with gradient: the paper's form."""

    loader_views = 2

    def before(self, model: Any, inputs: Tensor, step: Any) -> Tensor:
        """The inputs of the main pass; ``step`` has the number of images and collects features."""
        return inputs

    def after(self, model: Any, features: Tensor, step: Any) -> tuple[slice, Tensor]:
        """Which images are anchors, and their positives."""
        return slice(step.rows), features[step.rows :]


class WithoutGradient(WithGradient):
    """A pass of view 2 that gives the positive and teaches nothing."""

    def before(self, model: Any, inputs: Tensor, step: Any) -> Tensor:
        step.anchors = self.anchors(step)
        view = inputs[step.rows :][step.anchors]
        with torch.no_grad(), untouched_statistics(model):
            self.encode(model, view)
        step.positives = step.features
        return inputs[: step.rows]

    def after(self, model: Any, features: Tensor, step: Any) -> tuple[slice, Tensor]:
        return step.anchors, step.positives

    def anchors(self, step: Any) -> slice:
        """Which images have a second view in this step."""
        return slice(step.rows)

    def encode(self, model: Any, view: Tensor) -> None:
        """Send the view through the network, whose hooks keep its features."""
        model(view, mode='tensor')


class Half(WithoutGradient):
    """View 2 of the first half of the batch and of the second in turn; the others are no anchors in this step."""

    def anchors(self, step: Any) -> slice:
        if step.rows < 2:
            return slice(step.rows)
        middle = step.rows // 2
        return slice(middle, step.rows) if step.number % 2 else slice(middle)


class Small(WithoutGradient):
    """View 2 at three quarters of its side."""

    def encode(self, model: Any, view: Tensor) -> None:
        size = [round(SMALL * side) for side in view.shape[-2:]]
        model(interpolate(view, size=size, mode='bilinear', antialias=True), mode='tensor')


class Momentum(WithoutGradient):
    """View 2 through a moving average of the network, which lies beside the queue in the checkpoint."""

    def encode(self, model: Any, view: Tensor) -> None:
        encoder = model.icc_loss.encoder
        with untouched_statistics(encoder):
            encoder(view, mode='tensor')


class Bank(WithGradient):
    """The image's own feature of the last epoch, and in the first epoch its present one: one view is enough."""

    loader_views = 1

    def after(self, model: Any, features: Tensor, step: Any) -> tuple[slice, Tensor]:
        bank = model.icc_loss.bank
        index = torch.tensor(step.indices, device=features.device)
        positives = bank.read(index, default=features.detach())
        bank.write(index, features, model.icc_loss.batch_size)
        return slice(step.rows), positives


SECOND_VIEWS: dict[str, WithGradient] = {
    'grad': WithGradient(),
    'no_grad': WithoutGradient(),
    'half': Half(),
    'small': Small(),
    'bank': Bank(),
    'momentum': Momentum(),
}


def add_store(model: Any, second_view: str, num_images: int) -> None:
    """Give ``model.icc_loss`` what the second view needs to keep, so that it is in the checkpoint and published nowhere.

    Args:
        model (nn.Module): The classifier, its hooks that keep features attached already.
        second_view (str): A key of ``SECOND_VIEWS``.
        num_images (int): Images of the training set, 0 if there is none.
    """
    if second_view == 'bank' and num_images:
        model.icc_loss.bank = FeatureBank(num_images, model.icc_loss.queue.feat_dims).to(model.icc_loss.queue.queue.device)
    if second_view == 'momentum':
        loss, model.icc_loss = model.icc_loss, None
        encoder = copy.deepcopy(model).requires_grad_(False)
        model.icc_loss = loss
        loss.encoder = encoder


@torch.no_grad()
def average_encoder(model: Any, momentum: float = MOMENTUM) -> None:
    """Move the averaged encoder towards the network; its buffers are the network's own.

    Args:
        model (nn.Module): The classifier; nothing happens if it has no such encoder.
        momentum (float): What stays of the average, in ``[0, 1]``; 0 copies the network.
    """
    encoder = getattr(model.icc_loss, 'encoder', None)
    if encoder is None:
        return
    averages, buffers = list(encoder.parameters()), list(encoder.buffers())  # in the order of the model, where icc_loss is last
    torch._foreach_lerp_(averages, list(model.parameters())[: len(averages)], 1 - momentum)
    torch._foreach_copy_(buffers, list(model.buffers())[: len(buffers)])


@contextmanager
def untouched_statistics(model: nn.Module) -> Iterator[None]:
    """Batch norm normalises by the batch, as in training, but its running statistics stay: no image counts twice."""
    layers = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.training and m.track_running_stats]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
