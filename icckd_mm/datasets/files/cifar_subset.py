"""Writes a smaller CIFAR-10 as folders of images: fewer training images, a held-out part, a smaller size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from icckd_mm.datasets.files.smaller_images import write_smaller

SIZE = 32  # of the original
CLASSES = ('airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck')


def cut_cifar10(
    source: str | Path, out: str | Path, train: int = 1000, held_out: int = 500, size: int = 16
) -> Iterator[tuple[int, int]]:
    """Write CIFAR-10, made smaller by averaging areas, to ``out/{train,held_out,test}/<class>/<image>.png``.

    Of each class, sorted by file name, the first ``train`` training images become ``train`` and the last ``held_out`` become
    ``held_out``, so that a larger ``train`` keeps the images of a smaller one. ``test`` has all test images. Two calls give the
    same files. ``out`` is created when it is complete, see :func:`icckd_mm.datasets.files.smaller_images.write_smaller`.

    Args:
        source: CIFAR-10 as image files, ``{train,test}/<class>/*.jpg`` or ``*.png``.
        out: The new folder; must not exist.
        train: Training images per class, at least 1. Defaults to 1000.
        held_out: Training images per class that are held out for tuning, at least 1. Defaults to 500.
        size: Side of the new images in pixels, 8 to 32. Defaults to 16: each new pixel is the mean of four.

    Returns:
        Images done and their total, after each image; all checks are done before the first.

    Raises:
        ValueError: If an argument is out of range, ``source`` is incomplete, or ``out`` exists.
    """
    for name, value in (('train', train), ('held_out', held_out)):
        if type(value) is not int or value < 1:
            raise ValueError(f'{name} must be a whole number of at least 1, got {value!r}')
    if type(size) is not int or not 8 <= size <= SIZE:
        raise ValueError(f'size must be 8 to {SIZE} pixels, the size of the originals, got {size!r}')
    out = Path(out).expanduser()
    if out.exists():
        raise ValueError(f'{out} exists already; remove it, or name another folder')
    images: list[tuple[Path, Path]] = []
    for name in CLASSES:
        files = _images(Path(source).expanduser() / 'train' / name)
        if len(files) < train + held_out:
            raise ValueError(f'{source}/train/{name} has {len(files)} images, fewer than {train} + {held_out}; ask for fewer')
        images += [(path, Path('train', name)) for path in files[:train]]
        images += [(path, Path('held_out', name)) for path in files[-held_out:]]
        images += [(path, Path('test', name)) for path in _images(Path(source).expanduser() / 'test' / name)]
    return write_smaller(images, out, size)


def _images(folder: Path) -> list[Path]:
    files = sorted([*folder.glob('*.jpg'), *folder.glob('*.png')], key=lambda path: path.name)
    if not files:
        raise ValueError(f'{folder} has no images *.jpg or *.png; the source must have train/cat, test/cat and so on')
    return files
