"""Identifies the images of a data set by a few short digests."""

from __future__ import annotations

import hashlib
import logging
import os
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from icckd_mm.datasets.even_subset import spread
from icckd_mm.datasets.wrappers.nesting import innermost_datasets

KINDS = ('pixels', 'file names', 'file sizes', 'file times', 'file contents')
SAMPLED = 64  # files whose content is read in a large data set
SMALL = 64 * 2**20  # bytes; the content of all files is read up to here
FEW = 20_000  # files, as well
MANY = 200_000  # files; reading the metadata of so many takes seconds


def image_facts(dataset: Any) -> dict[str, str]:
    """Digests that differ for other images and are equal for a copy that keeps names and times.

    Images in memory are digested in full. For files it uses names (relative to the data root), sizes, modification times in
    seconds, and contents: of all files up to 64 MB together, else of 64 evenly spread ones.

    Args:
        dataset: A data set of mmengine or wrappers around some.

    Returns:
        Digests by their subject; only those that exist.

    Raises:
        ValueError: If a data set does not give the paths of its images.
        OSError: If a file is missing.
    """
    parts = [_Facts(one) for one in innermost_datasets(dataset)]
    names = [name for name in KINDS if any(name in part.seen for part in parts)]
    return {name: _joined([part.digests[name].hexdigest() for part in parts]) for name in names}


class _Facts:
    """The digests of one data set."""

    def __init__(self, dataset: Any) -> None:
        if not isinstance(dataset, BaseDataset):
            raise ValueError(
                f'{type(dataset).__name__} does not give the paths of its images; derive it from mmengine.dataset.BaseDataset'
            )
        self.digests = {name: hashlib.sha256() for name in KINDS}
        self.seen: set[str] = set()
        self.root = str(dataset.data_root or '')
        paths: list[str] = []
        total = 0
        for index in range(len(dataset)):
            info = dataset.get_data_info(index)
            if 'img' in info:
                image = np.ascontiguousarray(info['img'])
                self._add('pixels', f'{image.dtype}{image.shape}'.encode(), image)
            elif 'img_path' in info:
                if not paths and len(dataset) >= MANY:
                    print_log(f'reading the metadata of {len(dataset)} files of {self.root}', 'current', logging.INFO)
                paths.append(str(info['img_path']))
                total += self._stat(paths[-1])
        few = len(paths) <= FEW and total <= SMALL
        for number in range(len(paths)) if few else spread(len(paths), SAMPLED):
            if os.path.isfile(paths[number]):
                with open(paths[number], 'rb') as file:
                    self._add('file contents', hashlib.sha256(file.read()).digest())

    def _stat(self, path: str) -> int:
        """Record name, size and time of a file; size and time of a remote one are unknown."""
        self._add('file names', path[len(self.root) * path.startswith(self.root) :].lstrip('/').encode() + b'\0')
        if '://' in path:
            return 0
        found = os.stat(path)
        self._add('file sizes', b'%d ' % found.st_size)
        self._add('file times', b'%d ' % int(found.st_mtime))
        return found.st_size

    def _add(self, name: str, *content: Any) -> None:
        self.seen.add(name)
        for one in content:
            self.digests[name].update(one)


def _joined(digests: list[str]) -> str:
    return hashlib.sha256(' '.join(digests).encode()).hexdigest()[:16]
