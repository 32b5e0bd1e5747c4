"""Loads a checkpoint and verifies its checksums."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from icckd_mm.compat.safe_load import load_checkpoint_safely


def load_whole_checkpoint(path: str | Path) -> Any:
    """Load a local checkpoint on the CPU, safely, after verifying its checksums.

    ``torch.load`` detects a truncated file, but not a flipped bit in the weights: it ignores the checksums that
    ``torch.save`` writes.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        ValueError: If it is damaged.
        pickle.UnpicklingError: If it could run code.
    """
    checkpoint = load_checkpoint_safely(path, 'cpu')
    if zipfile.is_zipfile(path):  # the format before torch 1.6 has no checksums
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f'{path} is damaged: the checksum of {damaged} in it is wrong')
    return checkpoint
