"""The MCMI objective of a teacher: cross-entropy minus the divergence of each prediction from its class mean."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .distill.logits.soft_labels import divergence
from .tensor.checks import check_features, check_labels, check_same_device
from .tensor.number_checks import check_weight
from .tensor.numerics import raised, without_autocast
from .tensor.reductions import check_reduction, reduced


def mcmi_loss(
    logits: Tensor, labels: Tensor, class_means: Tensor, *, kl_weight: float = 0.25, reduction: str = 'mean'
) -> Tensor:
    r"""Cross-entropy that rewards variety inside each class.

    .. math:: \ell_i = -\log p_{i,y_i} - \lambda\,KL(p_i\Vert\bar p_{y_i})

    Half types are raised to fp32, autocast is off inside. No gradient reaches the means: the paper alternates between means
    and network, too. If a mean is 0 and a prediction is not, the divergence is large but finite; means that contain the
    batch itself keep it small.

    Args:
        logits: Classifier outputs ``(B, C)``, any float dtype.
        labels: Classes ``(B,)``, integers in ``[0, C)``.
        class_means: :math:`\bar p` ``(C, C)``: row c is the mean prediction for images of class c; a row of zeros
            marks a class not seen yet, whose images have no second term.
        kl_weight: :math:`\lambda \ge 0`. Defaults to 0.25.
        reduction: ``'mean'``, ``'sum'`` or ``'none'``: ``(B,)``. Defaults to ``'mean'``.

    Returns:
        The loss, which can be negative; 0 with a gradient path for an empty batch.

    Raises:
        TypeError: If logits or means are not floating-point or the labels not integers.
        ValueError: If shapes, devices or values do not fit.

    Source: MCMI, ICLR 2024, in the form of the published code; which images the means are taken over is the caller's choice.

    Example:
        >>> logits, labels = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 0])
        >>> means = class_mean_predictions(logits, labels)
        >>> mcmi_loss(logits, labels, means), mcmi_loss(logits, labels, means, kl_weight=0.0)
        (tensor(0.3877), tensor(0.4100))
    """
    check_weight('kl_weight', kl_weight, 0.25)
    check_reduction(reduction)
    check_features('logits', logits)
    classes = logits.size(1)
    check_labels('labels', labels, logits.size(0), num_classes=classes, like=logits)
    check_features('class_means', class_means)
    if class_means.shape != (classes, classes):
        raise ValueError(f'class_means must have shape ({classes}, {classes}), got {tuple(class_means.shape)}')
    check_same_device(logits=logits, class_means=class_means)
    with without_autocast(logits):
        log_probs = raised(logits).log_softmax(dim=1)
        means = class_means.detach().to(log_probs.dtype)[labels.long()]
        log_means = means.clamp_min(torch.finfo(means.dtype).tiny).log()
        distances = divergence(log_probs, log_means)
        seen = means.sum(dim=1) > 0
        losses = F.nll_loss(log_probs, labels.long(), reduction='none') - kl_weight * distances.where(seen, 0.0)
        return reduced(losses, reduction)


def class_mean_predictions(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Mean prediction of each class, :math:`\bar p_c = \frac1{|\{i: y_i=c\}|}\sum_{i: y_i=c}\mathrm{softmax}(z_i)`.

    Args:
        logits: Classifier outputs ``(B, C)``, any float dtype; half types are raised to fp32.
        labels: Classes ``(B,)``, integers in ``[0, C)``.

    Returns:
        ``(C, C)`` without gradient; zeros in the rows of absent classes.

    Raises:
        TypeError: If logits are not floating-point or labels not integers.
        ValueError: If shapes, devices or values do not fit.

    Source: MCMI, ICLR 2024.

    Example:
        >>> class_mean_predictions(torch.tensor([[0.0, 0.0], [100.0, 0.0]]), torch.tensor([0, 0]))
        tensor([[0.7500, 0.2500],
                [0.0000, 0.0000]])
    """
    check_features('logits', logits)
    classes = logits.size(1)
    check_labels('labels', labels, logits.size(0), num_classes=classes, like=logits)
    probs = raised(logits.detach()).softmax(dim=1)
    sums = probs.new_zeros(classes, classes).index_add_(0, labels.long(), probs)
    counts = probs.new_zeros(classes).index_add_(0, labels.long(), probs.new_ones(len(labels)))
    return sums / counts.clamp_min(1)[:, None]
