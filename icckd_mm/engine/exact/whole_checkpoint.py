"""Whether a checkpoint is as it was written."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from icckd_mm.compat.safe_load import load_checkpoint_safely


def load_whole_checkpoint(path: str | Path) -> Any:
    """Load a local checkpoint on the CPU, safely, if every byte of it is as it was written.

    ``torch.load`` sees that a file is truncated, but not that a bit of the weights has changed: it does not look at the
    checksums that ``torch.save`` writes.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        ValueError: If it is damaged.
        pickle.UnpicklingError: If it could run code.
    """
    checkpoint = load_checkpoint_safely(path, 'cpu')
    if zipfile.is_zipfile(path):  # not in the format before torch 1.6
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f'{path} is damaged: the checksum of {damaged} in it is wrong')
    return checkpoint
