"""Reads and checks the files of a teacher cache."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.nested_text import parse_json
from icckd_mm.regular_file import read_regular

LONGEST_KEY = 2**16  # bytes
SHOWN = 60  # characters per value in a message


def open_rows(path: Path, shape: tuple[int, int], dtype: str) -> np.ndarray:
    """The rows of a file through a read-only memory map.

    Args:
        path: A ``.npy`` file.
        shape: Expected shape ``(N, C)``.
        dtype: Expected type.

    Raises:
        ValueError: If it is not exactly such a file.
    """
    try:
        rows = np.lib.format.open_memmap(path, mode='r')  # refuses pickles and truncated files
    except Exception as error:
        raise ValueError(f'{path} cannot be read ({" ".join(str(error).split())}); delete it') from error
    if rows.shape != shape or rows.dtype != dtype:
        raise ValueError(f'{path} holds {rows.dtype} {rows.shape}, not {dtype} {shape}; delete it')
    surplus = path.stat().st_size - rows.offset - rows.nbytes
    if surplus:
        raise ValueError(f'{path} holds {surplus} bytes after its rows; delete it')
    return rows


def check_key(path: Path, key: dict[str, str]) -> None:
    """Check that a folder belongs to ``key``; write the key if the folder is new.

    Args:
        path: The file that holds the key, in the folder.
        key: What the logits depend on.

    Raises:
        ValueError: If it was written with another key, cannot be read, or cannot be written.
    """
    if not path.exists():
        try:
            write_atomically(path, json.dumps(key, indent=2).encode())
        except OSError as error:
            raise ValueError(f'cannot write to {path.parent}, {error}; give another folder') from None
    found = _read_key(path)
    names = [name for name in {**key, **found} if found.get(name) != key.get(name)]
    if names:
        different = [f'{name}: {_shown(found.get(name))} there, {_shown(key.get(name))} now' for name in names]
        raise ValueError(f'{path.parent} holds other logits ({"; ".join(different)}); delete it or give another folder')


def _read_key(path: Path) -> dict[str, str]:
    try:
        if path.stat().st_size > LONGEST_KEY:
            raise ValueError(f'it has more than {LONGEST_KEY} bytes')
        found = parse_json(read_regular(path).decode('utf-8'))
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise ValueError('it is not a JSON object of texts')
    except (ValueError, OSError) as error:
        raise ValueError(f'{path} cannot be read ({error}); delete {path.parent}') from error
    return found


def _shown(value: str | None) -> str:
    return 'nothing' if value is None else value if len(value) <= SHOWN else f'{value[:SHOWN]}...'
