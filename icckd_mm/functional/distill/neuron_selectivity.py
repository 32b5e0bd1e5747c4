"""Neuron selectivity transfer: where in an image the channels of a network respond."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.numerics import unit_rows, without_autocast
from icckd_mm.functional.tensor.reductions import mean_of

from .pairs import at_common_places


def neuron_selectivity_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    r"""NST, :math:`\overline{k(T, T)} + \overline{k(S, S)} - 2\,\overline{k(S, T)}` of channels.

    :math:`k(a, b) = (\hat a^\top\hat b)^2`, :math:`\hat a` is a channel's map at length 1 and the bar is the mean over images
    and pairs of channels: the squared maximum mean discrepancy. It holds ``B C C'`` products; the published code also their
    summands.

    Args:
        student_map: ``(B, C, H, W)``, any float dtype; half types are raised to fp32.
        teacher_map: ``(B, C', H', W')`` of the same images; the larger map is averaged to the size of the smaller.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a map is not floating-point.
        ValueError: If they are not maps of the same images on one device, or share a single position, where it is always 0.

    Source: Huang and Wang 2017, arXiv 1707.01219, Eq. 9 with the polynomial kernel of degree 2.

    Example:
        >>> corners = torch.eye(4).view(1, 4, 2, 2)
        >>> neuron_selectivity_loss(corners, corners), neuron_selectivity_loss(corners[:, :1], corners)
        (tensor(0.), tensor(0.7500))
    """
    student, teacher = at_common_places('NST', student_map, teacher_map)
    with without_autocast(student):
        own, target = (unit_rows(x.flatten(2)) for x in (student, teacher))
        return _kernel(target, target) + _kernel(own, own) - 2 * _kernel(own, target)


def _kernel(first: Tensor, second: Tensor) -> Tensor:
    """Mean of the squared products of unit channels ``(B, C, P)`` and ``(B, C', P)``."""
    return mean_of(torch.bmm(first, second.transpose(1, 2)).square())
