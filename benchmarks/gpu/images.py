"""Decodes an archive of image files once, into one file of arrays that many runs read."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

SPLITS = ('train', 'test')
MOST_BYTES, MOST_FILES = 1 << 20, 200_000  # of a file, and of the archive


def decode(archive: Path, target: Path) -> int:
    """Write the images of an archive to a file for :class:`icckd_mm.ImageArrays`, red first.

    Args:
        archive: A tar file, compressed or not, of ``train/<class>/<name>`` and ``test/<class>/<name>``. Nothing is unpacked.
        target: The ``.npz`` file; left as it is if it was made from this archive.

    Returns:
        Number of images.

    Raises:
        ValueError: If the archive holds something else.
    """
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if target.is_file():
        with np.load(target, allow_pickle=False) as earlier:
            if str(earlier['source']) == digest:
                return len(earlier['train_labels']) + len(earlier['test_labels'])
    found = _read(archive)
    classes = sorted({label for _, label, _ in found})
    arrays: dict[str, np.ndarray] = {'classes': np.array(classes), 'source': np.array(digest)}
    for split in SPLITS:
        keys = sorted(key for key in found if key[0] == split)
        if not keys:
            raise ValueError(f'{archive} has no files {split}/<class>/<name>; give an archive of train/ and test/')
        arrays[f'{split}_images'] = np.stack([found[key] for key in keys])
        arrays[f'{split}_labels'] = np.array([classes.index(label) for _, label, _ in keys])
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f'{os.getpid()}.{target.name}')
    np.savez(partial, **arrays)
    os.replace(partial, target)
    return len(found)


def _read(archive: Path) -> dict[tuple[str, str, str], np.ndarray]:
    """The images by split, class and name."""
    found: dict[tuple[str, str, str], np.ndarray] = {}
    try:
        with tarfile.open(archive, 'r|*') as tar:
            for member in tar:
                place = PurePosixPath(member.name).parts[-3:]
                if not member.isfile() or len(place) != 3 or place[0] not in SPLITS:
                    continue
                if member.size > MOST_BYTES or len(found) >= MOST_FILES:
                    raise ValueError(f'{archive} has over {MOST_FILES} files or one over {MOST_BYTES} bytes: {member.name}')
                content = np.frombuffer(tar.extractfile(member).read(), np.uint8)  # type: ignore[union-attr]
                image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
                if image is None:
                    raise ValueError(f'{archive}: {member.name} is not an image that OpenCV can read')
                found[place] = np.ascontiguousarray(image[:, :, ::-1])
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError(f'{archive} is not a tar archive of images: {error}') from None
    sizes = {image.shape for image in found.values()}
    if len(sizes) > 1:
        raise ValueError(f'{archive} has images of {len(sizes)} sizes, such as {sorted(sizes)[:2]}; all must have one')
    return found
