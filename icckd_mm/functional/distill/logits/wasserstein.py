"""Wasserstein distance between soft labels: probability is moved between classes, at a price that grows with their distance."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_floating, check_same_device
from icckd_mm.functional.tensor.number_checks import check_count, check_positive
from icckd_mm.functional.tensor.numerics import not_finite_marks, raised, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced

from .targets import check_logits

SMALL = 1e-8  # of the costs and of the divisions, as published


def transport_costs(distances: Tensor, *, sharpness: float = 1.0) -> Tensor:
    r"""Costs between classes from their distances, :math:`C = \max(1 - e^{-s D}, 0) + 10^{-8}`.

    Args:
        distances: ``(C, C)``, 0 for equal classes, as :func:`class_distances` gives.
        sharpness: :math:`s > 0`. Defaults to 1.0.

    Returns:
        Costs ``(C, C)`` below 1, in at least fp32.

    Raises:
        TypeError: If the distances are not floating-point.
        ValueError: If the shape or ``sharpness`` does not fit.

    Source: WKD-L, Lv, Yang and Li, NeurIPS 2024, arXiv 2412.08139.

    Example:
        >>> transport_costs(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
        tensor([[1.0000e-08, 6.3212e-01],
                [6.3212e-01, 1.0000e-08]])
    """
    check_positive('sharpness', sharpness, 1.0)
    check_floating('distances', distances, ' (C, C)')
    if distances.ndim != 2 or distances.size(0) != distances.size(1):
        raise ValueError(f'distances must be a matrix (C, C), got {tuple(distances.shape)}')
    return (1 - (-sharpness * raised(distances)).exp()).clamp_min(0) + SMALL


def wasserstein_divergence(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    costs: Tensor,
    *,
    temperature: float = 6.0,
    regularization: float = 0.05,
    iterations: int = 10,
    reduction: str = 'mean',
) -> Tensor:
    r"""WKD-L's transport term, :math:`\ell_i = \langle\Pi_i, C\rangle`: what it costs to turn the student's soft label into the
    teacher's.

    Both are softmaxes at temperature :math:`T` without the true class, :math:`\hat q`. Sinkhorn's iterations give
    :math:`\Pi = \mathrm{diag}(u)\,K\,\mathrm{diag}(v)` from :math:`K = e^{-C/\epsilon}`:
    :math:`v = \hat q^T / (K^\top u)`, :math:`u = \hat q^S / (K v)`. Gradient runs through them. The true class is never
    gathered out of the costs: its mass is 0, hence memory is ``B C`` and not ``B C^2``.

    Args:
        student_logits: ``(B, C)``, ``C`` at least 2, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        labels: Classes ``(B,)``.
        costs: ``(C, C)`` of :func:`transport_costs`.
        temperature: :math:`T > 0`; there is no factor :math:`T^2`. Defaults to 6.0.
        regularization: :math:`\epsilon > 0`. Defaults to 0.05.
        iterations: Iterations of Sinkhorn. Where few classes share the mass, 10 are far from the exact distance. Defaults to
            10, as published.
        reduction: ``'mean'``, ``'sum'`` or ``'none'``: ``(B,)``. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.

    Source: Lv, Yang and Li, NeurIPS 2024, arXiv 2412.08139; zero mass instead of smaller costs per image is our choice, for the
    same value.

    Example:
        >>> costs = transport_costs(1 - torch.eye(3))  # no mass need be moved, but the plan is blurred
        >>> wasserstein_divergence(torch.zeros(1, 3), torch.zeros(1, 3), torch.tensor([0]), costs)
        tensor(2.0530e-06)
    """
    check_positive('temperature', temperature, 6.0)
    check_positive('regularization', regularization, 0.05)
    check_count('iterations', iterations)
    check_reduction(reduction)
    check_logits(student_logits, teacher_logits, labels)
    C = student_logits.size(1)
    check_floating('costs', costs, ' (C, C)')
    if costs.shape != (C, C):
        raise ValueError(f'costs must have shape ({C}, {C}), one row for each class, got {tuple(costs.shape)}')
    check_same_device(student_logits=student_logits, costs=costs)
    with without_autocast(student_logits):
        column = labels.long()[:, None]
        source, goal = (
            (raised(x) / temperature).scatter(1, column, -torch.inf).softmax(dim=1)
            for x in (student_logits, teacher_logits.detach())
        )
        costs = costs.to(source.dtype)
        kernel = (-costs / regularization).exp()
        u = torch.full_like(source, 1 / (C - 1)).scatter(1, column, 0.0)
        for _ in range(iterations):
            v = goal / (u @ kernel + SMALL)
            u = source / (v @ kernel.T + SMALL)
        losses = (u * (v @ (kernel * costs).T)).sum(dim=1)
        return reduced(losses + not_finite_marks(teacher_logits), reduction)
