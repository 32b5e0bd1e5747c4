"""SGD with a momentum buffer for each of two losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable

import torch
from torch import Tensor

from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
class DOTSGD(torch.optim.Optimizer):
    r"""SGD that keeps the gradient of the distillation longer than that of the labels.

    .. math:: b^{ce} \leftarrow (\mu - \Delta)\,b^{ce} + g^{ce} + \lambda\theta, \quad
        b^{kd} \leftarrow (\mu + \Delta)\,b^{kd} + g^{kd}, \quad \theta \leftarrow \theta - \eta\,(b^{ce} + b^{kd})

    In the first step a buffer is its gradient. A parameter that only one of the losses reaches, such as those of a connector,
    has one buffer with :math:`\mu` and the weight decay.

    Args:
        params: Parameters of a model, in one group.
        lr: :math:`\eta > 0`.
        momentum: :math:`\mu`.
        delta: :math:`\Delta`; 0.075 on CIFAR-100, 0.09 on ImageNet as published.
        weight_decay: :math:`\lambda \ge 0`, added to the gradient of the labels.

    Raises:
        ValueError: If an argument is out of range, or there are several groups.

    Source: Zhao et al. 2023, arXiv 2307.08436, Alg. 1, and its code. The code gives a parameter that only the distillation
    reaches no decay in its first step; here it has one.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.05,
        momentum: float = 0.9,
        delta: float = 0.075,
        weight_decay: float = 0.0,
    ) -> None:
        check_positive('lr', lr)
        for name, value, default in (('momentum', momentum, 0.9), ('delta', delta, 0.075), ('weight_decay', weight_decay, 0.0)):
            check_weight(name, value, default)
        if not delta <= momentum < 1 - delta:
            raise ValueError(f'momentum -+ delta must lie in [0, 1), got momentum={momentum}, delta={delta}')
        super().__init__(params, dict(lr=lr, momentum=momentum, delta=delta, weight_decay=weight_decay))
        if len(self.param_groups) > 1:
            raise ValueError(f'DOTSGD takes one group of parameters, got {len(self.param_groups)}; remove paramwise_cfg')

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], float] | None = None, kd_grads: Mapping[Tensor, Tensor] | None = None
    ) -> float | None:
        """Update the parameters.

        Args:
            closure: Not supported, as it would compute one gradient of both losses.
            kd_grads: Gradient of the distillation for each parameter that both losses reach; its ``grad`` is that of their
                sum. A parameter that has had one counts a missing one as 0.

        Returns:
            None.

        Raises:
            ValueError: If there is a closure.
        """
        if closure is not None:
            raise ValueError('DOTSGD needs the gradients of two losses and takes no closure; use DOTOptimWrapper')
        (group,) = self.param_groups
        for parameter in group['params']:
            if parameter.grad is not None:
                self._update(parameter, (kd_grads or {}).get(parameter), group)
        return None

    def _update(self, parameter: Tensor, kd_grad: Tensor | None, group: dict[str, Any]) -> None:
        state, delta = self.state[parameter], group['delta']
        task_grad = parameter.grad if kd_grad is None else parameter.grad - kd_grad  # type: ignore[operator]
        task_grad = task_grad.add(parameter, alpha=group['weight_decay'])  # type: ignore[union-attr]
        if kd_grad is None and 'kd_buffer' not in state:
            delta = 0.0
        task = _moved(state, 'task_buffer', task_grad, group['momentum'] - delta)
        if kd_grad is None and 'kd_buffer' not in state:
            parameter.add_(task, alpha=-group['lr'])
            return
        kd_grad = torch.zeros_like(parameter) if kd_grad is None else kd_grad
        kd = _moved(state, 'kd_buffer', kd_grad, group['momentum'] + delta)
        parameter.add_(task + kd, alpha=-group['lr'])


def _moved(state: dict[str, Tensor], name: str, grad: Tensor, momentum: float) -> Tensor:
    """The buffer after a step; a copy of the gradient in the first one."""
    if name not in state:
        state[name] = grad.detach().clone()
    else:
        state[name].mul_(momentum).add_(grad)
    return state[name]
