"""The confidence margin that gates the intra-class contrastive loss."""

from __future__ import annotations

from torch import Tensor

from .tensor.checks import check_features, check_labels
from .tensor.numerics import raised


def confidence_margin(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Lead of the true class: :math:`p_y - \max_{j \ne y} p_j`, with :math:`p = \mathrm{softmax}(z)`.

    Args:
        logits: Classifier outputs ``(B, C)``, any float dtype; half types are raised to fp32.
        labels: True classes ``(B,)``, integers in ``[0, C)``.

    Returns:
        Margins ``(B,)`` in ``[-1, 1]``; positive exactly where the image is classified correctly (0 at a tie).

    Raises:
        TypeError: If the logits are not floating-point or the labels not integers.
        ValueError: If the shapes do not belong together, or (on the CPU) a label is out of range.

    Source: Yuan et al. 2025, arXiv 2509.22053, Eq. 7. We read it as probabilities, not logits.

    Example:
        >>> confidence_margin(torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([0]))
        tensor([0.4205])
    """
    check_features('logits', logits)
    check_labels('labels', labels, logits.size(0), num_classes=logits.size(1), like=logits)
    index = labels.long()[:, None]
    probs = raised(logits).softmax(dim=1)
    true = probs.gather(1, index).squeeze(1)
    rival = probs.scatter(1, index, 0.0).amax(dim=1)  # 0 is below every probability; one class gives margin 1
    return true - rival
