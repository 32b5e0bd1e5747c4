"""Universal self-knowledge distillation: soft labels that a network makes for itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from icckd_mm.functional.tensor.checks import check_pairs
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.functional.tensor.numerics import raised, without_autocast

from .targets import check_logits, target_column, without_target

RANKS = ('log', 'prob')
SMOOTHING = 0.1  # of the labels that the weak classifier learns


def self_normalized_loss(
    logits: Tensor,
    weak_logits: Tensor,
    labels: Tensor,
    *,
    alpha: float = 1.0,
    beta: float = 0.1,
    mu: float = 0.005,
    rank_from: str = 'log',
) -> Tensor:
    r"""USKD, :math:`L = \alpha L_t + \beta L_n + \mu L_w` from the network's own and a weak classifier's logits.

    .. math:: L_t = -\frac1B\sum_i\bigl(p_{iy}^2 + 1 - \tfrac1B\textstyle\sum_j p_{jy}^2\bigr)\log p_{iy}, \qquad
        L_n = -\frac1B\sum_i\sum_{k\ne y}\bar\zeta_{ik}\log\hat q_{ik}, \qquad L_w = CE(h, 0.9\,\mathrm{onehot} + 0.1/C)

    with :math:`\hat q` the softmax without class :math:`y` and :math:`\zeta_{ik}` one over the rank of class :math:`k` by
    :math:`w_k/(1-w_y) + s_k/(1-s_y)`, made to sum to 1 without class :math:`y`. The factors before the logarithms have no
    gradient. :math:`w` is the softmax of :math:`h`.

    Args:
        logits: ``(B, C)``, ``C`` at least 2, any float dtype; half types are raised to fp32.
        weak_logits: :math:`h` of the weak classifier ``(B, C)``.
        labels: Classes ``(B,)``.
        alpha: :math:`\alpha \ge 0`. Defaults to 1.0.
        beta: :math:`\beta \ge 0`. Defaults to 0.1.
        mu: :math:`\mu \ge 0`. Defaults to 0.005.
        rank_from: ``'log'``: :math:`s = \log p` as in the published code; ``'prob'``: :math:`s = p` as in the paper.
            Defaults to ``'log'``.

    Returns:
        A scalar.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.

    Source: Yang et al., ICCV 2023, arXiv 2303.13005. The published figures depend on ``'log'``.

    Example:
        >>> logits, labels = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([0])
        >>> self_normalized_loss(logits, logits, labels, alpha=0.0, beta=1.0, mu=0.0)
        tensor(0.7133)
    """
    for name, value, default in (('alpha', alpha, 1.0), ('beta', beta, 0.1), ('mu', mu, 0.005)):
        check_weight(name, value, default)
    if rank_from not in RANKS:
        raise ValueError(f'rank_from must be one of {", ".join(RANKS)}, got {rank_from!r}')
    check_pairs(logits=logits, weak_logits=weak_logits)
    check_logits(logits, weak_logits, labels)
    with without_autocast(logits):
        strong, weak = raised(logits), raised(weak_logits)
        log_probs = strong.log_softmax(dim=1)
        own = target_column(log_probs, labels)
        squares = own.detach().exp().square()
        target = -((squares + 1 - squares.sum() / max(len(squares), 1)) * own)
        ranks = _inverse_ranks(log_probs.detach(), weak.detach().softmax(dim=1), labels, rank_from)
        rest = -(ranks * without_target(strong, labels).log_softmax(dim=1)).sum(dim=1)
        taught = F.cross_entropy(weak, labels.long(), label_smoothing=SMOOTHING, reduction='none')
        return (alpha * target + beta * rest + mu * taught).sum() / max(len(labels), 1)


def _inverse_ranks(log_probs: Tensor, weak: Tensor, labels: Tensor, rank_from: str) -> Tensor:
    """One over the rank of each class but the true one, rows ``(B, C - 1)`` that sum to 1."""
    strong = log_probs if rank_from == 'log' else log_probs.exp()
    weak, strong = (x / (1 - target_column(x, labels)[:, None] + 1e-6) for x in (weak, strong))
    scores = weak + strong
    order = scores.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(1, scores.size(1) + 1, device=scores.device, dtype=scores.dtype)
    inverse = torch.zeros_like(scores).scatter(1, order, (1 / places).expand_as(scores))
    rest = without_target(inverse, labels)
    return rest / rest.sum(dim=1, keepdim=True)
