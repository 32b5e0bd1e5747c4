"""Reports an error that ends a command: one line on stderr, the traceback in the log."""

from __future__ import annotations

import linecache
import logging
import traceback
from pathlib import Path

from mmengine.logging import MMLogger

from icckd_mm.plain_text import plain

REFUSED, FAILED = 2, 1  # exit status of one of our checks, and of any other error
PACKAGE = Path(__file__).resolve().parents[1]
LONGEST = 1000  # some messages quote whole configs or all names of weights; the fault comes first, what to do last


def describe(error: BaseException) -> str:
    """An error as one line for users.

    Args:
        error: Any exception.

    Returns:
        The message, with the name of the exception unless this package wrote it for users.

    Example:
        >>> describe(KeyError('lr'))
        'KeyError: lr'
    """
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    if 'Traceback (most recent call last)' in text:  # of a worker process: the fault is in its first and last lines
        lines = text.splitlines()
        text = f'{lines[0]} {lines[-1]}'
    text = plain(text, len(text) + 1)  # it may quote a file and be printed on a terminal
    if len(text) > LONGEST:
        text = f'{text[: LONGEST * 3 // 4]} ... {text[-LONGEST // 4 :]}'
    return text if is_for_users(error) else f'{type(error).__name__}: {text}'


def is_for_users(error: BaseException) -> bool:
    """Whether a ``raise`` of this package wrote the message; any other error may be a bug of ours or of the host."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return False
    file = Path(frames[-1].filename).resolve()
    own = PACKAGE in file.parents or file.parent.name in ('tools', 'model_converters')
    return own and linecache.getline(frames[-1].filename, frames[-1].lineno or 0).lstrip().startswith('raise')


def write_to_log(error: BaseException) -> str | None:
    """Write the traceback to the log file of the run.

    Args:
        error: Any exception.

    Returns:
        The file; None if no run has begun.
    """
    logger = MMLogger.get_current_instance()
    logging.raiseExceptions = False  # the disk may be full; the line on stderr is what counts
    files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    for handler in files:
        info = (type(error), error, error.__traceback__)
        handler.handle(logging.LogRecord(logger.name, logging.ERROR, __file__, 0, 'the run ended', (), info))
    return files[0].baseFilename if files else None
