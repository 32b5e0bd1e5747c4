"""Cost of the finite guard: its share of a training step of mmengine, immediate and deferred (the mode for CUDA).

Steps with and without it differ by less than a step varies. So its methods are also timed separately on existing
gradients, which is more precise.
"""

from __future__ import annotations

import copy
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from benchmarks.measure import Case, Setting, aim, measure
from icckd_mm.engine.finite.guard_hook import FiniteGuardHook
from icckd_mm.zoo.architectures import classifier_config

MOST = 0.01  # of a step


class Run:
    """The parts of a runner that the hook needs, and one iteration of a train loop."""

    def __init__(self, model: torch.nn.Module, mode: str) -> None:
        self.hook = FiniteGuardHook(mode=mode)
        self.model = model
        built = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
        self.runner = SimpleNamespace(model=model, optim_wrapper=OptimWrapper(built), iter=0, epoch=0, hooks=[])
        self.hook.before_train(self.runner)

    def step(self, batch: dict) -> None:
        """A step of mmengine under the guard."""
        self.hook.before_train_iter(self.runner, 0, batch)
        outputs = self.model.train_step(batch, self.runner.optim_wrapper)
        self.hook.after_train_iter(self.runner, 0, batch, outputs)
        self.runner.iter += 1

    def alone(self, batch: dict) -> Case:
        """The guard without the step."""
        outputs = self.model.train_step(batch, self.runner.optim_wrapper)
        for weight in self.hook.guard.parameters:
            weight.grad = torch.zeros_like(weight)
        guard, loss = self.hook.guard, torch.ones((), requires_grad=True)

        def nothing(*args: Any, **kwargs: Any) -> None: ...

        def run() -> None:
            own = guard._backward, guard._step
            guard._backward = guard._step = nothing
            self.hook.before_train_iter(self.runner, 0, batch)
            guard.backward(loss)
            guard.step()
            self.hook.after_train_iter(self.runner, 0, batch, outputs)
            guard._backward, guard._step = own

        return Case(run)


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One table, of resnet8x4."""
    size, arch = (8, 'resnet8') if setting.quick else (64, 'resnet8x4')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        plain = MODELS.build(classifier_config(arch, 100)).to(setting.device).train()
    samples = [DataSample().set_gt_label(int(label)).to(setting.device) for label in torch.randint(100, (size,))]
    batch = dict(inputs=torch.randn(size, 3, 32, 32, device=setting.device), data_samples=samples)
    runs = {mode: Run(copy.deepcopy(plain), mode) for mode in ('off', 'immediate', 'deferred')}
    cases = {f'step, {mode}': Case(partial(run.step, batch)) for mode, run in runs.items()}
    for mode in ('immediate', 'deferred'):
        cases[f'{mode} alone'] = Run(copy.deepcopy(plain), mode).alone(batch)
    table = measure(f'Finite guard, {arch}, B={size}', cases, setting, rounds=20)
    for mode in ('immediate', 'deferred'):
        aim(table, f'{mode} alone / step', table['rows'][f'{mode} alone']['ratio'], MOST)
    return [table]
