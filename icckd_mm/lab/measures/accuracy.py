"""Accuracies of a finished run."""

from __future__ import annotations

from typing import Any


def accuracy(runner: Any, stage: str) -> dict[str, Any]:
    """Top-1 in percent of each, the last and the best validation, and of teacher and student by name."""
    scalars, loop = runner.message_hub.log_scalars, runner.train_loop
    curve = [round(float(value), 4) for value in scalars['val/accuracy/top1'].data[0]]
    last = loop.max_epochs
    epochs = [epoch for epoch in range(loop.val_begin, last + 1) if epoch % loop.val_interval == 0 or epoch == last]
    best = max(curve)
    of_teacher = scalars['val/teacher.accuracy/top1'].data[0][-1] if 'val/teacher.accuracy/top1' in scalars else None
    return {
        'last_accuracy': curve[-1],
        'best_accuracy': best,
        'best_epoch': epochs[curve.index(best)],
        'teacher_accuracy': curve[-1] if stage == 'teacher' else of_teacher and round(float(of_teacher), 4),
        'student_accuracy': curve[-1] if stage == 'student' else None,
        'curve': curve,
    }
