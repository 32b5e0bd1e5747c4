"""A teacher must be good before a student learns from it."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from icckd_mm.distill.loops import DistillValLoop
from icckd_mm.registry import HOOKS


@HOOKS.register_module()
class TeacherAccuracyHook(Hook):
    """Measures the teacher on the validation data before training and ends the run if it is too weak.

    A teacher with swapped classes, another preprocessing or weights of another run loads without complaint; its accuracy tells.
    Needs ``val_cfg=dict(type='icckd_mm.DistillValLoop')``, whose cached figure it uses.

    Args:
        min_accuracy: Least ``accuracy/top1`` in percent.

    Raises:
        ValueError: If ``min_accuracy`` is no percentage or, before training, the teacher is below it.
    """

    def __init__(self, min_accuracy: float) -> None:
        if not (isinstance(min_accuracy, (int, float)) and 0 <= min_accuracy <= 100):
            raise ValueError(f'min_accuracy is a percentage in [0, 100], got {min_accuracy!r}')
        self.min_accuracy = min_accuracy

    def before_train(self, runner: Runner) -> None:
        """Measure, log and judge."""
        if not isinstance(runner._val_loop, DistillValLoop):
            raise ValueError("TeacherAccuracyHook needs val_cfg=dict(type='icckd_mm.DistillValLoop') and validation data")
        metrics = runner._val_loop.teacher_metrics()
        if 'teacher.accuracy/top1' not in metrics:
            found = ', '.join(metrics) or 'nothing, for the model has no teacher'
            raise ValueError(f"TeacherAccuracyHook needs val_evaluator=dict(type='Accuracy', topk=1), which gives {found}")
        accuracy = metrics['teacher.accuracy/top1']
        runner.logger.info(f'accuracy of the teacher: {accuracy:.2f} %')
        if not accuracy >= self.min_accuracy:
            raise ValueError(
                f'the teacher has an accuracy of {accuracy:.2f} %, min_accuracy is {self.min_accuracy} %; look at '
                'teacher_ckpt, the order of the classes and the preprocessing, or lower min_accuracy'
            )
