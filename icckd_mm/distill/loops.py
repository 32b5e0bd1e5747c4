"""Validation of a student and its teacher."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.runner import ValLoop, autocast

from icckd_mm.engine.runner_utils import unwrapped
from icckd_mm.registry import LOOPS


@LOOPS.register_module()
class DistillValLoop(ValLoop):
    """Validates the student as ``accuracy/top1`` and the teacher, if any, as ``teacher.accuracy/top1``.

    mmrazor's loop calls ``before_val_epoch`` twice and ``after_val_epoch`` once, so ``EMAHook`` leaves the averaged
    weights in the student. Its loop for self-distillation renames the metrics, so ``save_best`` finds none. Here hooks
    see one validation, that of the student. A frozen teacher is validated once.

    Args:
        *args: Runner, data loader and evaluator of :class:`mmengine.runner.ValLoop`.
        cache_teacher: Whether the teacher's metrics are cached; False for a teacher that changes. Defaults to True.
        **kwargs: As for :class:`mmengine.runner.ValLoop`.
    """

    def __init__(self, *args: Any, cache_teacher: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cache_teacher = cache_teacher
        self.cached: dict[str, float] | None = None

    def run(self) -> dict:
        """Validate student and teacher.

        Returns:
            The metrics.
        """
        teacher = self.teacher_metrics()  # before EMAHook and similar hooks act
        self.runner.call_hook('before_val')
        self.runner.call_hook('before_val_epoch')
        self.runner.model.eval()
        for index, batch in enumerate(self.dataloader):
            self.run_iter(index, batch)
        metrics = {**self.evaluator.evaluate(len(self.dataloader.dataset)), **teacher}  # the student first: save_best='auto'
        self.runner.call_hook('after_val_epoch', metrics=metrics)
        self.runner.call_hook('after_val')
        return metrics

    def teacher_metrics(self) -> dict[str, float]:
        """The teacher's metrics with the prefix ``teacher.``; calls no hook and draws no random number.

        Returns:
            The metrics; empty if the model has no teacher.
        """
        model = unwrapped(self.runner)
        if not hasattr(model, 'teacher'):
            return {}
        if self.cached is None or not self.cache_teacher:
            with torch.random.fork_rng(devices=[]):  # a data loader draws a seed, which would shift the training after it
                self._measure(model)
        return dict(self.cached or {})

    @torch.no_grad()
    def _measure(self, model: Any) -> None:
        training = model.teacher.training
        model.teacher.eval()
        for batch in self.dataloader:
            with autocast(enabled=self.fp16):
                data = model.data_preprocessor(batch, False)  # the student's: both see the same images
                outputs = model.teacher(**data, mode='predict')
            self.evaluator.process(data_samples=outputs, data_batch=batch)
        model.teacher.train(training)
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        self.cached = {f'teacher.{name}': value for name, value in metrics.items()}
