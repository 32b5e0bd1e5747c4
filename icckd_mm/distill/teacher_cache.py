"""Stores a teacher's logits on disk, for many students."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from icckd_mm.distill.cache_files import check_key, open_rows
from icckd_mm.engine.exact.atomic_backend import write_atomically

DTYPES = ('float16', 'float32')
KEY = 'key.json'
WAITING_LIMIT = 1 << 26  # bytes of logits that stay on their device before the host fetches them


class TeacherCache:
    """Logits ``(N, C)`` of the N images of a data set, one file per view.

    The folder holds ``key.json``, which describes the logits, and ``view-0000.npy`` and so on, which are read
    through a memory map. Logits collected for a view are in memory until :meth:`close` writes them, all or nothing; an
    existing file is never written again. An unknown row is NaN; a row with a non-finite value counts as unknown.

    Args:
        folder: Made if needed.
        key: What the logits depend on; a folder with another key is refused.
        num_images: N.
        num_classes: C.
        dtype: ``'float16'`` (relative error 5e-4) or ``'float32'``. Defaults to ``'float16'``.

    Raises:
        ValueError: If ``dtype`` is unknown, or the folder was written with another key.

    Example:
        >>> cache = TeacherCache(getfixture('tmp_path'), {'teacher': 'a'}, num_images=3, num_classes=2)
        >>> cache.open(0)
        >>> cache.write([2, 0], torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> cache.close(keep=True)
        >>> cache.open(0)
        >>> cache.read([0, 2]), cache.read([0, 1])
        (tensor([[3., 4.], [1., 2.]]), None)
    """

    def __init__(
        self, folder: str | Path, key: dict[str, str], num_images: int, num_classes: int, dtype: str = 'float16'
    ) -> None:
        self.check_dtype(dtype)
        self.folder, self.shape, self.dtype = Path(folder), (num_images, num_classes), dtype
        self.path: Path | None = None  # of the view that is open
        self.rows: np.ndarray | None = None
        self._waiting: list[tuple[Sequence[int], Tensor]] = []  # collected, but still on their device
        self._waiting_places: set[int] = set()
        self._waiting_bytes = 0
        check_key(self.folder / KEY, {**key, 'images': str(num_images), 'classes': str(num_classes), 'dtype': dtype})

    @staticmethod
    def check_dtype(dtype: str) -> None:
        """Raise ``ValueError`` unless logits can be stored as ``dtype``."""
        if dtype not in DTYPES:
            raise ValueError(f'dtype must be one of {", ".join(DTYPES)}, got {dtype!r}')

    def open(self, view: int) -> None:
        """Open a view; it is read if its file exists and collected otherwise.

        Args:
            view: Its number, from 0.

        Raises:
            ValueError: If the file was not written by this cache.
        """
        self._forget()
        self.path = self.folder / f'view-{view:04d}.npy'
        if self.path.exists():
            self.rows = open_rows(self.path, self.shape, self.dtype)

    def read(self, index: Sequence[int]) -> Tensor | None:
        """Logits of some images.

        Args:
            index: B indices into the data set.

        Returns:
            ``(B, C)`` in single precision; None unless all are known.
        """
        if self.rows is None:
            return None
        if not self._waiting_places.isdisjoint(index):
            self._fetch()
        rows = torch.from_numpy(self.rows[list(index)]).float()
        return rows if rows.isfinite().all() else None

    def write(self, index: Sequence[int], logits: Tensor) -> None:
        """Collect logits; no effect if the view has a file. The host does not wait for the device in each step.

        Args:
            index: B indices into the data set.
            logits: ``(B, C)``, on any device.
        """
        if self.rows is None:
            self.rows = np.full(self.shape, np.nan, self.dtype)
        if self._collects:
            logits = logits.detach().float()
            self._waiting.append((list(index), logits))
            self._waiting_places.update(index)
            self._waiting_bytes += logits.nbytes
            if self._waiting_bytes >= WAITING_LIMIT:
                self._fetch()

    def _fetch(self) -> None:
        """Take over the collected logits from their device."""
        for index, logits in self._waiting:
            self.rows[index] = logits.cpu().numpy()  # type: ignore[index]
        self._waiting, self._waiting_places, self._waiting_bytes = [], set(), 0

    def _forget(self) -> None:
        self.path = self.rows = None
        self._waiting, self._waiting_places, self._waiting_bytes = [], set(), 0

    def hand_over(self, name: str) -> None:
        """Write the logits that this process has collected, for the process that writes the view.

        Args:
            name: Name of this process and run.

        Raises:
            OSError: If it cannot be written.
        """
        if self._collects:
            self._fetch()
            self._save(self._part(name))

    def take_over(self, names: Sequence[str]) -> None:
        """Add logits that other processes have written.

        Args:
            names: Names of the processes; those without logits are skipped.
        """
        for part in filter(Path.is_file, map(self._part, names)):
            if self._collects:
                self._fetch()
                rows = open_rows(part, self.shape, self.dtype)
                known = ~np.isnan(rows).any(axis=1)
                self.rows[known] = rows[known]  # type: ignore[index]
            part.unlink()

    def close(self, keep: bool) -> None:
        """Close the view.

        Args:
            keep: Whether to write the collected logits; False if they are incomplete.

        Raises:
            OSError: If it cannot be written; no file remains.
        """
        if keep and self._collects:
            self._fetch()
            self._save(self.path)  # type: ignore[arg-type]
        self._forget()

    @property
    def _collects(self) -> bool:
        return self.path is not None and self.rows is not None and self.rows.flags.writeable

    def _part(self, name: str) -> Path:
        return self.path.with_name(f'{self.path.name}.{name}')  # type: ignore[union-attr]

    def _save(self, path: Path) -> None:
        content = io.BytesIO()
        np.save(content, self.rows)  # type: ignore[arg-type]
        write_atomically(path, content.getvalue())  # two students may reach this at the same time
