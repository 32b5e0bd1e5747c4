"""Zero losses of a stopped distiller."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.device import get_device
from torch import Tensor


def zero_losses(distiller: Any) -> dict[str, Tensor]:
    """A zero for each loss, with a zero gradient for every trainable parameter of the distiller, as DDP needs.

    Args:
        distiller: The ``ConfigurableDistiller`` of an algorithm.

    Returns:
        Scalars by the name of the loss.
    """
    zero = torch.zeros((), device=get_device())
    for parameter in distiller.parameters():
        if parameter.requires_grad:
            zero = zero + 0 * parameter.sum()
    return dict.fromkeys(distiller.loss_forward_mappings, zero)
