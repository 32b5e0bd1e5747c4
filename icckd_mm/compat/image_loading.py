"""mmcv's ``LoadImageFromFile`` does not name the file that it cannot read, and reads truncated ones.

Applies: to mmcv 2.0 and 2.1. A file of no bytes ends in an error of OpenCV without a name, a truncated JPEG becomes an image
that is grey below, and a small PNG can claim gigabytes.
Changes: calls that fail or should fail: they raise ``ValueError`` with the file's name and the reason. Complete images
are decoded as before; ``ignore_empty=True`` still skips the others.
Upstream: https://github.com/open-mmlab/mmpretrain/issues/1427 added the name where OpenCV returns nothing.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from .import_hook import on_import

MARK = '_icckd_mm_names_the_file'


def install() -> None:
    """Watches the module of the transform."""
    on_import('mmcv.transforms.loading', after=_patch)


def _patch(module: ModuleType) -> None:
    loader: Any = module.LoadImageFromFile
    load = loader.transform
    if hasattr(load, MARK):
        return

    def transform(self: Any, results: dict) -> dict | None:
        try:
            return load(self, results)
        except Exception as error:
            reason = 'OpenCV cannot decode it' if 'failed to load image' in str(error) else ' '.join(str(error).split())
            path = results['img_path']
            raise ValueError(f'{path} cannot be read as an image: {reason}; replace or remove the file') from error

    setattr(transform, MARK, True)
    loader.transform = transform
    module.__dict__['fileio'] = _CheckedFiles(module.__dict__['fileio'])


class _CheckedFiles:
    """``mmengine.fileio`` as that module sees it: images only."""

    def __init__(self, fileio: Any) -> None:
        self._fileio = fileio

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fileio, name)

    def get(self, *args: Any, **kwargs: Any) -> bytes:
        """The content of a file, if it can be a complete image."""
        from icckd_mm.compat.image_bytes import check_image  # imports the host

        path = args[0] if args else kwargs.get('filepath', '')
        if os.path.exists(path) and not os.path.isfile(path):  # a named pipe would block for ever
            raise ValueError('it is not a regular file')
        content = self._fileio.get(*args, **kwargs)
        check_image(content)
        return content
