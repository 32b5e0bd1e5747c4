"""Preview weights, which give hard images a small weight at first."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_floating, check_labels
from icckd_mm.functional.tensor.number_checks import check_count, check_positive
from icckd_mm.functional.tensor.numerics import raised


def preview_weights(ce: Tensor, *, epoch: int, base: float = 1.005) -> Tensor:
    r"""Weight of each image: 1 if its cross-entropy is near the batch's mean or below, small if it is far above.

    .. math:: v_i = \begin{cases} 1 & \gamma_i \le t \\ e^{-\gamma_i^2} & \gamma_i > t \end{cases}, \qquad
        \gamma_i = \frac{CE_i}{\frac1B\sum_k CE_k}, \qquad t = \text{base}^{\,\text{epoch}}

    Args:
        ce: Cross-entropy of the current student for each image ``(B,)``, any float dtype.
        epoch: The current epoch, counted from 1.
        base: Growth of the threshold. Defaults to 1.005: the threshold of epoch 240 is 3.31.

    Returns:
        Weights ``(B,)`` in ``[0, 1]``, in at least fp32 and without gradient.

    Raises:
        TypeError: If ``ce`` is not floating-point.
        ValueError: If shape or values do not fit.

    Source: PCKD, Ding et al., arXiv 2410.14143, in the form of the published code; no gradient is our choice.

    Example:
        >>> preview_weights(torch.tensor([0.5, 1.5]), epoch=1)
        tensor([1.0000, 0.1054])
    """
    check_count('epoch (counted from 1)', epoch)
    check_positive('base', base, 1.005)
    check_floating('ce', ce, ' (B,)')
    if ce.ndim != 1:
        raise ValueError(f"ce must have shape (B,), got {tuple(ce.shape)}; use reduction='none' in the cross-entropy")
    ce = raised(ce.detach())
    ratios = ce / (ce.sum() / max(len(ce), 1)).clamp_min(torch.finfo(ce.dtype).tiny)  # all 0: every image is easy
    return torch.where(ratios <= base**epoch, torch.ones_like(ratios), (-ratios.square()).exp())


def check_rotations(labels: Tensor, num_rotations: int) -> None:
    """Raise unless rows come image by image, ``num_rotations`` views of each: row ``n`` belongs to image ``n // R``.

    Labels are checked on the CPU only: on an accelerator that would stall the step.

    Args:
        labels: Classes ``(N,)`` of the rows.
        num_rotations: ``R``, views of each image.

    Raises:
        ValueError: If the rows cannot be grouped, or (on the CPU) a group has several labels.
    """
    check_labels('labels', labels, len(labels), like=labels)
    advice = 'set data_preprocessor=dict(type="icckd_mm.RotationDataPreprocessor", ...), or num_rotations=1'
    if len(labels) % num_rotations:
        raise ValueError(f'{len(labels)} rows are not {num_rotations} views of each image; {advice}')
    groups = labels.view(-1, num_rotations)
    looked_at = labels.device.type == 'cpu' and not torch.compiler.is_compiling()
    if looked_at and not torch.equal(groups, groups[:, :1].expand_as(groups)):
        raise ValueError(f'the {num_rotations} views of an image must be consecutive and have one label; {advice}')
