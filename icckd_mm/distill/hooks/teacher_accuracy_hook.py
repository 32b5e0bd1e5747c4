"""Checks the accuracy of the teacher before a student learns from it."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from icckd_mm.distill.loops import DistillValLoop
from icckd_mm.registry import HOOKS


@HOOKS.register_module()
class TeacherAccuracyHook(Hook):
    """Validates the teacher before training and ends the run if its accuracy is too low.

    A teacher with swapped classes, other preprocessing or weights of another run loads without an error, but is inaccurate.
    Needs ``val_cfg=dict(type='icckd_mm.DistillValLoop')``, whose cached accuracy it uses.

    Args:
        min_accuracy: Least ``accuracy/top1`` in percent.

    Raises:
        ValueError: If ``min_accuracy`` is not a percentage or, before training, the teacher is below it.
    """

    def __init__(self, min_accuracy: float) -> None:
        if not (isinstance(min_accuracy, (int, float)) and 0 <= min_accuracy <= 100):
            raise ValueError(f'min_accuracy is a percentage in [0, 100], got {min_accuracy!r}')
        self.min_accuracy = min_accuracy

    def before_train(self, runner: Runner) -> None:
        """Measure and log the accuracy; raise if it is too low."""
        if not isinstance(runner._val_loop, DistillValLoop):
            raise ValueError("TeacherAccuracyHook needs val_cfg=dict(type='icckd_mm.DistillValLoop') and validation data")
        metrics = runner._val_loop.teacher_metrics()
        if 'teacher.accuracy/top1' not in metrics:
            found = ', '.join(metrics) or 'nothing, because the model has no teacher'
            raise ValueError(f"TeacherAccuracyHook needs val_evaluator=dict(type='Accuracy', topk=1), which gives {found}")
        accuracy = metrics['teacher.accuracy/top1']
        runner.logger.info(f'accuracy of the teacher: {accuracy:.2f} %')
        if not accuracy >= self.min_accuracy:
            raise ValueError(
                f'the teacher has an accuracy of {accuracy:.2f} %, min_accuracy is {self.min_accuracy} %; check '
                'teacher_ckpt, the order of the classes and the preprocessing, or lower min_accuracy'
            )
