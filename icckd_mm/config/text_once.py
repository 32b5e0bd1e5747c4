"""Formats the text of a config once, not for each checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.config import config

KEPT = 8  # answers


def format_once() -> None:
    """Make mmengine cache the last few formatted configs of this process; repeated calls have no effect.

    mmengine formats the text of the config with yapf for the log and for each checkpoint, which takes longer than an epoch of a
    small run. The text is the same.
    """
    if not hasattr(config.FormatCode, 'answers'):
        config.FormatCode = remembering(config.FormatCode)


def remembering(function: Callable) -> Callable:
    """``function`` with its last few results cached; its arguments need not be hashable."""
    answers: dict[str, Any] = {}

    def remembering(*args: Any, **kwargs: Any) -> Any:
        key = repr((args, sorted(kwargs.items())))
        if key not in answers:
            if len(answers) >= KEPT:
                del answers[next(iter(answers))]
            answers[key] = function(*args, **kwargs)
        return answers[key]

    remembering.answers = answers  # type: ignore[attr-defined]
    return remembering
