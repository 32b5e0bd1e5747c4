"""Contrastive representation distillation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from icckd_mm.functional.tensor.checks import check_features
from icckd_mm.functional.tensor.gather import all_gather_rows
from icckd_mm.functional.tensor.number_checks import check_count, check_positive, check_weight
from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast
from icckd_mm.functional.tensor.snapshot import snapshot
from icckd_mm.registry import MODELS

from .crd_memory import CRDMemory, draw_negatives

ELEMENTS = 2**24  # of the largest temporary, 64 MB in single precision


@MODELS.register_module()
class CRDLoss(nn.Module):
    r"""Noise-contrastive estimation of a student's row against the teacher's memory, and vice versa.

    .. math:: L = -\frac\lambda B \sum_i \Bigl[\log\frac{p_{i0}}{p_{i0} + m/n} +
        \sum_{k=1}^m \log\frac{m/n}{p_{ik} + m/n}\Bigr], \qquad p_{ik} = \frac1Z \exp(\langle x_i, v_k\rangle / \tau)

    with the image's own row of the memory at :math:`k = 0`, :math:`m` images of other classes, :math:`n` images in all and
    :math:`Z` fixed by the first batch. mmrazor's ignores ``loss_weight``, has no scalar, draws on the CPU, holds all gathered
    rows (1.1 GB at the setting of the benchmark), and needs a data set wrapper that fails on unbalanced classes. Here
    negatives are drawn on the device, from the labels of the images seen so far (:class:`CRDMemory`), so the data set
    needs no wrapper: ``PackInputs`` gives ``sample_idx`` to every data sample.

    Args:
        temperature: :math:`\tau > 0`. Defaults to 0.07.
        neg_num: :math:`m`, negatives per image. Defaults to 16384.
        sample_n: :math:`n`, images of the training set. Defaults to 50000.
        dim_out: Width of the rows. Defaults to 128.
        momentum: Share of the old row in an update, in ``[0, 1)``. Defaults to 0.5.
        eps: Added to the denominators. Defaults to 1e-7.
        loss_weight: :math:`\lambda \ge 0`. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Tian et al. 2020, arXiv 1910.10699, Eq. 17-19, and its code for the update of the memory.
    """

    scale: Tensor
    memory: CRDMemory

    def __init__(
        self,
        temperature: float = 0.07,
        neg_num: int = 16384,
        sample_n: int = 50000,
        dim_out: int = 128,
        momentum: float = 0.5,
        eps: float = 1e-7,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        for name, value in (('temperature', temperature), ('eps', eps)):
            check_positive(name, value)
        check_count('neg_num', neg_num)
        check_weight('loss_weight', loss_weight)
        self.temperature, self.neg_num, self.eps, self.loss_weight = temperature, neg_num, eps, loss_weight
        self.memory = CRDMemory(sample_n, dim_out, momentum)
        self.register_buffer('scale', torch.zeros(2))  # Z of student and teacher rows; 0 is not set yet
        self.scaled = [False, False]  # whether this process has set it

    def forward(self, s_feats: Tensor, t_feats: Tensor, data_samples: list[Any]) -> Tensor:
        """Compare the rows with the memory, whose labels are learnt; in training mode its rows are then updated, too.

        Args:
            s_feats: Rows of the student ``(B, dim_out)``, from :class:`icckd_mm.CRDConnector`.
            t_feats: Rows of the teacher, same shape, also from :class:`icckd_mm.CRDConnector`.
            data_samples: With ``sample_idx`` and ``gt_label``.

        Returns:
            A scalar.

        Raises:
            TypeError: If the features are not floating-point.
            ValueError: If shapes or sample indices do not fit.
        """
        width = self.memory.student.size(1)
        for name, feats in (('s_feats', s_feats), ('t_feats', t_feats)):
            check_features(name, feats, width=width)
        index, labels = self.memory.read(data_samples, s_feats.device)
        if not len(index) == len(s_feats) == len(t_feats):
            raise ValueError(f'{len(index)} data samples for {len(s_feats)} rows of the student, {len(t_feats)} of the teacher')
        with without_autocast(s_feats):
            student, teacher = (unit_rows(raised(x)) for x in (s_feats, t_feats))
            with torch.no_grad():
                self.memory.learn_labels(index, labels)
                chosen = torch.cat([index[:, None], draw_negatives(self.memory.labels, labels, self.neg_num)], dim=1)
            loss = self._against(student, self.memory.teacher, chosen, 0) + self._against(
                teacher, self.memory.student, chosen, 1
            )
        if self.training:
            self.memory.write(index, student.detach(), teacher.detach())
        return self.loss_weight * loss

    def _against(self, rows: Tensor, memory: Tensor, chosen: Tensor, side: int) -> Tensor:
        """The loss of one side. Value and gradient are computed together, a few images at a time, so that gathered rows are
        freed early and the memory may change before the backward pass.
        """
        if not len(rows):
            return rows.sum()  # an empty batch
        step = max(1, ELEMENTS // (chosen.size(1) * rows.size(1)))
        parts = list(zip(rows.detach().split(step), chosen.split(step)))
        if not self.scaled[side]:
            means = [similarities(part, memory[index], self.temperature).exp().mean(dim=1) for part, index in parts]
            mean = all_gather_rows(torch.cat(means)).mean() * len(memory)
            # a scale from a checkpoint stays; asking the device for it would break a graph
            self.scale[side] = torch.where(self.scale[side] > 0, self.scale[side], mean)
        self.scaled[side] = True
        value, gradients = rows.new_zeros(()), []
        for part, index in parts:
            found = memory[index]
            loss, slope = self._estimate(similarities(part, found, self.temperature).exp() / self.scale[side], len(memory))
            gradients.append(torch.bmm(slope[:, None, :], found).squeeze(1) / (self.temperature * len(rows)))
            value = value + loss / len(rows)
        linear = (rows * snapshot(torch.cat(gradients))).sum()
        return value + linear - linear.detach()

    def _estimate(self, probs: Tensor, images: int) -> tuple[Tensor, Tensor]:
        """The sum of the losses, and its derivative with respect to the similarities ``(b, m + 1)``."""
        noise = self.neg_num / images
        share = probs / (probs + noise + self.eps)
        loss = -share[:, 0].log().sum() - (noise / (probs[:, 1:] + noise + self.eps)).log().sum()
        return loss, torch.cat([share[:, :1] - 1, share[:, 1:]], dim=1)


def similarities(rows: Tensor, chosen: Tensor, temperature: float) -> Tensor:
    """Scaled products ``(b, m + 1)`` of rows ``(b, D)`` with their gathered rows ``(b, m + 1, D)``."""
    return torch.bmm(chosen, rows[:, :, None]).squeeze(2) / temperature
