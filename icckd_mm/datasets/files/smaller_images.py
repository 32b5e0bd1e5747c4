"""Writes smaller copies of the images of a data set, in plain folders."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from icckd_mm.compat.image_bytes import check_image
from icckd_mm.regular_file import read_regular


def write_smaller(images: Sequence[tuple[Path, Path]], out: Path, size: int) -> Iterator[tuple[int, int]]:
    """Write images at ``size`` x ``size`` as PNG files, without loss.

    ``out`` is created when it is complete; until then the files are in a new folder ``.<out>-*`` beside it, removed if the
    call fails. Only a killed process leaves it there.

    Args:
        images: File to read, and its new folder below ``out``; the name is kept, with ``.png``.
        out: The new folder; must not exist.
        size: Side of the new images in pixels.

    Yields:
        Images done and their total, after each image.

    Raises:
        ValueError: If a file is not an image that OpenCV reads.
        OSError: If a file cannot be written, or another call has made ``out`` since.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f'.{out.name}-') as temporary:  # no two calls share a folder
        made = Path(temporary, 'images')
        for folder in sorted({folder for _, folder in images}):
            (made / folder).mkdir(parents=True)
        for number, (path, folder) in enumerate(images, 1):
            picture = smaller(path, size)
            if not cv2.imwrite(str(made / folder / f'{path.stem}.png'), picture):
                raise OSError(f'cannot write to {made / folder}; see that the disk has room')
            yield number, len(images)
        os.rename(made, out)


def smaller(path: Path, size: int) -> np.ndarray:
    """An image of a file at ``size`` x ``size``, each new pixel the mean of the area that it covers; blue, green, red."""
    try:
        content = read_regular(path)
        check_image(content)
    except (OSError, ValueError) as error:
        raise ValueError(f'{path} cannot be read: {error}; unpack the archive again') from None
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f'OpenCV cannot read the image {path}; unpack the archive again')
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
