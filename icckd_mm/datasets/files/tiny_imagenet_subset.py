"""Writes a smaller Tiny-ImageNet as folders of images: fewer classes, a smaller size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from icckd_mm.datasets.files.folders import check_layout
from icckd_mm.datasets.files.smaller_images import write_smaller
from icckd_mm.datasets.tiny_imagenet import train_images, val_images

SIZE, CLASSES = 64, 200  # of the original


def cut_tiny_imagenet(source: str | Path, out: str | Path, classes: int = 100, size: int = 32) -> Iterator[tuple[int, int]]:
    """Write the first classes by sorted wnid, made smaller by averaging areas, to ``out/{train,val}/<wnid>/<image>.png``.

    100 classes at 32x32 have the shape of CIFAR-100, with 50 test images per class: 50,000 + 5,000 images. Two calls give the
    same files. ``out`` is created when it is complete, see :func:`icckd_mm.datasets.files.smaller_images.write_smaller`.

    Args:
        source: Tiny-ImageNet as it is distributed, see :class:`TinyImageNet`.
        out: The new folder; must not exist.
        classes: Number of classes, 1 to 200. Defaults to 100.
        size: Side of the new images in pixels, 8 to 64. Defaults to 32.

    Returns:
        Images done and their total, after each image; all checks are done before the first.

    Raises:
        ValueError: If an argument is out of range, ``source`` is incomplete, or ``out`` exists.
    """
    if not isinstance(classes, int) or not 1 <= classes <= CLASSES:
        raise ValueError(f'classes must be 1 to {CLASSES}, got {classes!r}')
    if not isinstance(size, int) or not 8 <= size <= SIZE:
        raise ValueError(f'size must be 8 to {SIZE} pixels, the size of the originals, got {size!r}')
    out = Path(out).expanduser()
    if out.exists():
        raise ValueError(f'{out} exists already; remove it, or name another folder')
    check_layout('TinyImageNet', str(source))
    root = Path(source).expanduser()
    every = sorted((root / 'wnids.txt').read_text(encoding='utf-8').split())
    if len(every) < classes:
        raise ValueError(f'{root / "wnids.txt"} names {len(every)} classes, fewer than the {classes} asked for')
    wnids = every[:classes]
    images = [(path, Path('train', wnid)) for path, wnid in train_images(root / 'train', wnids)]
    labels = {wnid: label for label, wnid in enumerate(every)}
    images += [(path, Path('val', wnid)) for path, wnid in val_images(root / 'val', labels) if wnid in set(wnids)]
    return write_smaller(images, out, size)
