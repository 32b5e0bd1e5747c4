"""Hands the gradients of labels and distillation to the optimizer apart."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import Tensor

from icckd_mm.distill.optim.dot_sgd import DOTSGD
from icckd_mm.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class DOTOptimWrapper(OptimWrapper):
    """``OptimWrapper`` that computes the gradient of the distillation also alone, for :class:`icckd_mm.DOTSGD`.

    Losses of :class:`icckd_mm.SafeTeacherDistill` say which part is which. Several processes average this gradient as DDP does
    that of the sum. Costs about one more backward pass and a buffer for each parameter.

    Args:
        optimizer: A :class:`icckd_mm.DOTSGD`.
        accumulative_counts: 1; accumulation is refused.
        clip_grad: None; clipping is refused, since it would change the sum of two gradients, but not one of them.
        **kwargs: Further arguments of the wrapper, such as ``loss_scale`` under AMP.

    Raises:
        ValueError: If an argument is out of range.

    Source: Zhao et al. 2023, arXiv 2307.08436.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, accumulative_counts: int = 1, clip_grad: dict | None = None, **kwargs: Any
    ) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, DOTSGD):
            raise ValueError(f"{name} needs optimizer.type='icckd_mm.DOTSGD', got {type(optimizer).__name__}")
        if accumulative_counts != 1 or clip_grad is not None:
            raise ValueError(f'{name} neither accumulates nor clips gradients; remove accumulative_counts and clip_grad')
        super().__init__(optimizer=optimizer, **kwargs)
        self.shared: list[Tensor] | None = None  # parameters that the labels reach

    def update_params(self, loss: Tensor, step_kwargs: dict | None = None, zero_kwargs: dict | None = None) -> None:
        """Compute both gradients and update.

        Args:
            loss: What ``SafeTeacherDistill.parse_losses`` gives.
            step_kwargs: More arguments of the optimizer's step.
            zero_kwargs: Arguments of ``zero_grad``.

        Raises:
            ValueError: If the loss has no parts, or none of the student's own.
        """
        task, distilled = getattr(loss, 'parts', (None, None))
        if task is None:
            raise ValueError(
                f"{type(self).__name__} needs model.type='icckd_mm.SafeTeacherDistill' with calculate_student_loss=True, "
                'which says which loss is that of the labels'
            )
        if self.shared is None:
            self.shared = _reached(task, self.optimizer.param_groups[0]['params'])
        kd_grads = {} if distilled is None else self._kd_grads(distilled, self.shared)
        super().update_params(loss, {**(step_kwargs or {}), 'kd_grads': kd_grads}, zero_kwargs)

    def _kd_grads(self, distilled: Tensor, parameters: list[Tensor]) -> dict[Tensor, Tensor]:
        """Gradients of the distillation where it reaches a parameter, averaged over processes."""
        if not distilled.requires_grad:
            return {}
        scaler = getattr(self, 'loss_scaler', None)
        scaled = distilled if scaler is None else scaler.scale(distilled)  # as the sum is, in half precision
        found = torch.autograd.grad(scaled, parameters, retain_graph=True, allow_unused=True)
        grads = {parameter: grad for parameter, grad in zip(parameters, found) if grad is not None}
        if not grads:
            return grads
        flat = torch.cat([grad.flatten() for grad in grads.values()])
        if scaler is not None and scaler.is_enabled():
            flat = flat / scaler._get_scale_async()  # get_scale() would wait for the device
        if get_world_size() > 1:
            all_reduce(flat, 'mean')
        parts = flat.split([grad.numel() for grad in grads.values()])
        return {parameter: part.view_as(parameter) for parameter, part in zip(grads, parts)}


@OPTIM_WRAPPERS.register_module()
class DOTAmpOptimWrapper(DOTOptimWrapper, AmpOptimWrapper):
    """:class:`DOTOptimWrapper` under automatic mixed precision, with one scale for both gradients."""


def _reached(loss: Tensor, parameters: list[Tensor]) -> list[Tensor]:
    """The parameters that a loss depends on."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    grads = torch.autograd.grad(loss, trained, retain_graph=True, allow_unused=True)
    return [parameter for parameter, grad in zip(trained, grads) if grad is not None]
