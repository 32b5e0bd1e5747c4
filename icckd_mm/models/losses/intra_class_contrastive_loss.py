"""The intra-class contrastive margin loss of a teacher, with its queue."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

from icckd_mm.functional import class_geometry, confidence_margin, intra_class_contrastive_loss
from icckd_mm.functional.tensor.checks import check_features
from icckd_mm.functional.tensor.gather import all_gather_batch, world_size
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.models.queues import ClassQueue
from icckd_mm.registry import MODELS


@MODELS.register_module()
class IntraClassContrastiveLoss(nn.Module):
    r"""Pushes images of one class apart, but only those the teacher already classifies with a margin.

    .. math:: L = \lambda\,\frac1{|\mathcal A|}\sum_{i\in\mathcal A}\ell_i, \qquad
        \mathcal A = \{i: p_{i,y_i} - \max_{j\ne y_i} p_{i,j} > \delta\}

    with the :math:`\ell_i` of :func:`icckd_mm.functional.intra_class_contrastive_loss`, 0 when no anchor passes. It has no
    parameters, only the buffers of its queue, and works under :class:`icckd_mm.IntraClassContrastHook`, as an entry of
    ``distill_losses`` in mmrazor's ``ConfigurableDistiller``, and called by hand. A batch enters the queue after its loss, so
    no image is its own negative within a step. Its feature from an earlier epoch may still be in the queue.

    With several processes the negatives of all processes are used, and each returns the loss of the joined batch. Its gradient
    is scaled so that DDP's average is the gradient of the joined batch. Batches may differ in size, or be empty: they are
    padded to the largest. The processes exchange its size in each step, which blocks the host, unless the attribute
    ``batch_size`` is set: :class:`icckd_mm.IntraClassContrastHook` sets it from the training loader.

    Args:
        num_classes: ``C``.
        feat_dims: ``D``, width of the features.
        queue_size: ``K``, earlier features kept of each class; memory ``4*C*K*D`` bytes. 0: no queue, negatives come
            from the batch only. An anchor without another image of its class in the batch then adds 0 to the loss and no
            gradient, but counts in the mean: in a batch of 64 with 100 classes half of the anchors have no such image, and the
            loss is half as large. Defaults to 32 (our choice).
        temperature: :math:`\tau > 0`. The gradient grows as ``loss_weight / temperature``: when one changes, tune the
            other. Defaults to 0.1 (our choice).
        margin: :math:`\delta` in ``[-1, 1]``; at -1 (almost) all anchors pass, at 0 those classified correctly.
            Defaults to 0.5 (our choice: it keeps the gate shut early in training and so doubles as warm-up).
        in_batch_negatives: Whether other images of the batch are negatives in addition to the queue. False: the queue
            only, which must then have slots. Defaults to True.
        loss_weight: :math:`\lambda \ge 0`. Defaults to 0.02 (the paper is reported to use 0.01 to 0.05).

    Raises:
        ValueError: If an argument is out of range.

    Source: Yuan et al. 2025, arXiv 2509.22053; where the paper is silent, our choice as stated.
    """

    def __init__(
        self,
        num_classes: int,
        feat_dims: int,
        queue_size: int = 32,
        temperature: float = 0.1,
        margin: float = 0.5,
        in_batch_negatives: bool = True,
        loss_weight: float = 0.02,
    ) -> None:
        super().__init__()
        check_positive('temperature', temperature)
        if not (isinstance(margin, (int, float)) and -1 <= margin <= 1):
            raise ValueError(
                f'margin must lie in [-1, 1], got {margin!r}; it is a difference of probabilities, 0.5 is the default'
            )
        check_weight('loss_weight', loss_weight, 0.02)
        if queue_size == 0 and not in_batch_negatives:
            raise ValueError(
                'queue_size=0 and in_batch_negatives=False leave no negatives, so the loss would always be 0; '
                'set in_batch_negatives=True or a queue_size of at least 1'
            )
        self.temperature, self.margin = temperature, margin
        self.in_batch_negatives, self.loss_weight = in_batch_negatives, loss_weight
        self.queue = ClassQueue(num_classes, queue_size, feat_dims)
        self.batch_size: int | None = None  # upper bound of the rows of every process; None: unknown

    def forward(self, features: Tensor, positives: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Gate, loss, then (in training mode) enqueue.

        Args:
            features: Pooled features ``(B, D)`` of the first view: the anchors; all of them are enqueued.
            positives: Pooled features ``(B, D)`` of the second view, or the teacher's in a distiller.
            logits: Classifier outputs ``(B, C)`` of the first view; they are only used for the margin and get no gradient.
            labels: Classes ``(B,)``.

        Returns:
            The loss times ``loss_weight``, a scalar.

        Raises:
            TypeError: If a tensor has the wrong kind of dtype.
            ValueError: If shapes, devices or values do not fit.
        """
        check_features('features', features, width=self.queue.feat_dims)
        check_features('logits', logits)
        if logits.size(1) != self.queue.num_classes:
            raise ValueError(
                f'logits have {logits.size(1)} classes, the loss was built with num_classes={self.queue.num_classes}'
            )
        selected = self._passes(logits, labels)
        pool, pool_labels, offset = all_gather_batch(
            features if self.in_batch_negatives else features.detach(), labels, self.queue.num_classes, self.batch_size
        )
        if world_size() == 1:
            loss = self._local_loss(features, positives, labels, selected)
        else:
            loss = self._joined_loss(features, positives, labels, selected, pool, pool_labels, offset)
        if self.training:
            self.queue.write(pool.detach(), pool_labels)
        return self.loss_weight * loss

    def _local_loss(self, features: Tensor, positives: Tensor, labels: Tensor, selected: Tensor) -> Tensor:
        queue, filled = self._stored()
        return intra_class_contrastive_loss(
            features,
            positives,
            labels,
            queue=queue,
            filled=filled,
            in_batch_negatives=self.in_batch_negatives,
            temperature=self.temperature,
            mask=selected,
        )

    def _joined_loss(
        self,
        features: Tensor,
        positives: Tensor,
        labels: Tensor,
        selected: Tensor,
        pool: Tensor,
        pool_labels: Tensor,
        offset: int,
    ) -> Tensor:
        """Value of the joined mean, gradient of ``W * local sum / selected anchors of all processes``."""
        queue, filled = self._stored()
        local = intra_class_contrastive_loss(
            features,
            positives,
            labels,
            queue=queue,
            filled=filled,
            negatives=pool if self.in_batch_negatives else None,
            negative_labels=pool_labels if self.in_batch_negatives else None,
            offset=offset if self.in_batch_negatives else 0,
            in_batch_negatives=self.in_batch_negatives,
            temperature=self.temperature,
            mask=selected,
            reduction='sum',
        )
        local = local + pool[:0].sum()  # an empty batch has no negatives, yet its process must take part in their backward pass
        joined = torch.stack([local.detach(), selected.sum().to(local.dtype)])
        dist.all_reduce(joined)
        total, passed = joined[0], joined[1].clamp_min(1)
        scaled = world_size() * local / passed
        return scaled + (total / passed - scaled).detach()

    def _stored(self) -> tuple[Tensor, Tensor] | tuple[None, None]:
        return (self.queue.queue, self.queue.filled) if self.queue.capacity else (None, None)

    @torch.no_grad()
    def _passes(self, logits: Tensor, labels: Tensor) -> Tensor:
        return confidence_margin(logits, labels) > self.margin

    def pass_share(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Share of a batch that passes the gate, in ``[0, 1]``, as a scalar on the device.

        Args:
            logits: Classifier outputs ``(B, C)``.
            labels: Classes ``(B,)``.
        """
        return self._passes(logits, labels).float().mean() if len(labels) else torch.zeros((), device=logits.device)

    def queue_statistics(self) -> dict[str, float]:
        """The geometry of the stored features; empty without a queue. Waits for the device: call it on log steps only.

        Returns:
            ``icc_intra_cos``: mean cosine of a feature to the centre of its class; ``icc_inter_cos``: mean cosine between
            centres; ``icc_ratio``: the ratio of the distances (:func:`icckd_mm.functional.class_geometry`); ``icc_fill``: share
            of slots written.
        """
        if not self.queue.capacity:
            return {}
        device = self.queue.queue.device
        written = torch.arange(self.queue.capacity, device=device) < self.queue.filled[:, None]
        classes = torch.arange(self.queue.num_classes, device=device)[:, None].expand_as(written)
        geometry = class_geometry(self.queue.queue[written], classes[written])
        return {
            'icc_intra_cos': 1 - geometry['intra'],
            'icc_inter_cos': 1 - geometry['inter'],
            'icc_ratio': geometry['ratio'],
            'icc_fill': float(written.float().mean()),
        }

    def statistics(self, logits: Tensor, labels: Tensor) -> dict[str, float]:
        """Statistics to watch while a teacher trains. Waits for the device: call it on log steps only.

        Args:
            logits: Classifier outputs ``(B, C)`` of this process's batch.
            labels: Classes ``(B,)``.

        Returns:
            ``icc_pass``: the share of the batch that passes the gate; and :meth:`queue_statistics`.
        """
        return {'icc_pass': float(self.pass_share(logits, labels)), **self.queue_statistics()}

    def extra_repr(self) -> str:
        return (
            f'temperature={self.temperature}, margin={self.margin}, '
            f'in_batch_negatives={self.in_batch_negatives}, loss_weight={self.loss_weight}'
        )
