"""Curriculum temperature: a learnt temperature that moves against the student."""

from __future__ import annotations

import math

from torch import Tensor

from icckd_mm.functional.tensor.checks import check_floating, check_pairs
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.functional.tensor.numerics import raised, without_autocast

from .soft_labels import divergence

START, RANGE = 1.0, 20.0  # as published


def curriculum_temperature(theta: Tensor) -> Tensor:
    r"""The temperature :math:`\tau = 1 + 20\,\mathrm{sigmoid}(\theta)`.

    Args:
        theta: The learnt number :math:`\theta`, any shape.

    Returns:
        Temperatures between 1 and 21.

    Source: CTKD, Li et al., AAAI 2023, arXiv 2211.16231.

    Example:
        >>> curriculum_temperature(torch.tensor(1.0))
        tensor(15.6212)
    """
    return START + RANGE * theta.sigmoid()


def reversal(epoch: int, *, ramp: int = 10) -> float:
    r"""Factor of the temperature's gradient, :math:`\lambda(e) = \frac12(\cos(\pi\min(e, E)/E) - 1)`: from 0 to -1.

    Args:
        epoch: The current epoch :math:`e`, counted from 1.
        ramp: :math:`E`, the epoch from which the gradient is reversed in full. Defaults to 10.

    Returns:
        A number in ``[-1, 0]``.

    Raises:
        ValueError: If a number is not an integer of at least 1.

    Source: CTKD, Li et al., AAAI 2023, arXiv 2211.16231.

    Example:
        >>> [round(reversal(epoch), 5) for epoch in (1, 2, 5, 10, 240)]
        [-0.02447, -0.09549, -0.5, -1.0, -1.0]
    """
    check_count('epoch (counted from 1)', epoch)
    check_count('ramp', ramp)
    return (math.cos(math.pi * min(epoch, ramp) / ramp) - 1) / 2


def curriculum_divergence(
    student_logits: Tensor, teacher_logits: Tensor, theta: Tensor, *, epoch: int, ramp: int = 10
) -> Tensor:
    r"""CTKD, :math:`\frac{\tau^2}{B}\sum_i KL(p^T_i\Vert p^S_i)` at the learnt temperature.

    The gradient of :math:`\theta` is multiplied by :func:`reversal`, so that :math:`\theta` climbs the loss that the student
    descends.

    Args:
        student_logits: ``(B, C)``, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        theta: The learnt number :math:`\theta`, a scalar.
        epoch: The current epoch, counted from 1.
        ramp: The epoch from which the gradient is reversed in full. Defaults to 10.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: CTKD, Li et al., AAAI 2023, arXiv 2211.16231, in its global form.
    """
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    check_floating('theta', theta)
    if theta.ndim:
        raise ValueError(f'theta must be a scalar, got shape {tuple(theta.shape)}')
    with without_autocast(student_logits):
        value = raised(theta)
        moved = value.detach() + reversal(epoch, ramp=ramp) * (value - value.detach())  # the value, with another gradient
        tau = curriculum_temperature(moved)
        teacher, student = ((raised(x) / tau).log_softmax(dim=1) for x in (teacher_logits.detach(), student_logits))
        return tau**2 * divergence(teacher, student).sum() / max(len(student), 1)
