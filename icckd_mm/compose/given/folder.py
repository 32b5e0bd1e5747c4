"""Reads a folder of images: its classes, splits, sizes, mean and spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from icckd_mm.compat.image_bytes import check_image
from icckd_mm.datasets.even_subset import spread
from icckd_mm.datasets.files.folders import shortened
from icckd_mm.datasets.held_out import held_out_rows
from icckd_mm.plain_text import is_one_line, plain

EXTENSIONS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')  # those that mmpretrain lists
MEASURED = 20_000  # images whose pixels are read, evenly spread, where there are more
SIDES = (32, 64, 128, 224)
LAYOUT = 'it must hold one folder per class, or train/ and val/ (or test/) with one folder per class each'


@dataclass(frozen=True)
class ImageFolder:
    """Images by split.

    Attributes:
        root: The folder.
        splits: Folder of each split below the root: ``train``, ``val`` and ``test``; ``''`` where the images are divided by
            lists.
        classes: Names of the classes, sorted.
        images: Paths below the folder of the split, with their labels, by split.
        listed: Whether train and val are divided by lists, since there was no folder to validate on.
    """

    root: Path
    splits: dict[str, str]
    classes: tuple[str, ...]
    images: dict[str, list[tuple[str, int]]]
    listed: bool


@dataclass(frozen=True)
class Measured:
    """What the pixels of the training images say.

    Attributes:
        mean: Of red, green and blue, 0 to 255.
        std: Of the same.
        side: Side of the images, found or given.
        same: Whether every image is a square of that side.
        images: How many were read.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    side: int
    same: bool
    images: int


def read_folder(root: Path, held_out: float, seed: int) -> ImageFolder:
    """List a folder of images.

    Args:
        root: A folder that exists.
        held_out: Share of each class that is held out, where the folder has no images to validate on.
        seed: Seed of that choice.

    Returns:
        Its images.

    Raises:
        ValueError: If there are no class folders, a class is empty, or the splits have different classes.
    """
    splits = {name: name for name in ('train', 'val', 'test') if (root / name).is_dir()}
    if 'train' not in splits:
        splits = {}
    if len(splits) > 1:
        splits.setdefault('val', 'test')
        splits.setdefault('test', 'val')
        for folder in set(splits.values()):
            _refuse_hidden(root / folder)
        listed = {name: _listed(root / folder) for name, folder in splits.items()}
        _same_classes(root, {name: tuple(one) for name, one in listed.items()})
        return ImageFolder(root, splits, tuple(listed['train']), {name: _labelled(one) for name, one in listed.items()}, False)
    only = splits.get('train', '')
    classes = _listed(root / only)
    images = _labelled(classes)
    rows = _held_out(np.array([label for _, label in images]), tuple(classes), held_out, seed)
    parts = {
        'train': [one for row, one in enumerate(images) if row not in rows],
        'val': [one for row, one in enumerate(images) if row in rows],
    }
    return ImageFolder(
        root, dict.fromkeys(('train', 'val', 'test'), only), tuple(classes), {**parts, 'test': parts['val']}, True
    )


def _held_out(labels: np.ndarray, classes: Sequence[str], held_out: float, seed: int) -> set[int]:
    counts = np.bincount(labels, minlength=len(classes))
    for name, count in zip(classes, counts):
        if count < 2:
            raise ValueError(f'class {plain(name)} has {count} image; give each class two images or more, or a folder val/')
    return set(held_out_rows(labels, held_out, seed).tolist())


def _listed(folder: Path) -> dict[str, list[str]]:
    """Images of each class, by paths below the folder."""
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith('.'))
    if not classes:
        raise ValueError(f'{folder} has no folders; {LAYOUT}')
    found = {name: _images(folder, name) for name in classes}
    empty = [name for name, images in found.items() if not images]
    if empty:
        raise ValueError(
            f'{folder}: no images ({", ".join(EXTENSIONS)}) in {shortened([plain(name) for name in empty])}; '
            'remove the folder or add images'
        )
    _check_name(folder, str(folder))
    for name, images in found.items():
        _check_name(folder, name, printed=True)
        for image in images:
            _check_name(folder, image)
    if len(classes) < 2:
        raise ValueError(f'{folder} has a single class, {plain(classes[0])}; {LAYOUT}')
    return found


def _refuse_hidden(folder: Path) -> None:
    """Raise if there are hidden folders, as of a notebook: mmpretrain would count each as a class."""
    hidden = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name.startswith('.'))
    if hidden:
        raise ValueError(f'{folder}: the hidden folder {plain(hidden[0])} would count as a class; remove it')


def _check_name(folder: Path, name: str, printed: bool = False) -> None:
    """Raise if a config cannot hold a name, or a published model cannot print it.

    mmengine replaces ``{{ }}`` by paths and variables of the environment.
    """
    fault = '{{' if '{{' in name else 'a control character' if printed and not is_one_line(name) else ''
    try:
        name.encode()
    except UnicodeEncodeError:
        fault = 'bytes that are not UTF-8'
    if fault:
        shown = plain(name.encode(errors='replace').decode())
        raise ValueError(f'{plain(str(folder).encode(errors="replace").decode())}: {shown} holds {fault}; rename it')


def _images(folder: Path, name: str) -> list[str]:
    paths = (folder / name).rglob('*')
    kept = [path for path in paths if path.suffix.lower() in EXTENSIONS and not path.name.startswith('.') and path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in kept)


def _labelled(classes: dict[str, list[str]]) -> list[tuple[str, int]]:
    return [(path, label) for label, paths in enumerate(classes.values()) for path in paths]


def _same_classes(root: Path, classes: dict[str, tuple[str, ...]]) -> None:
    for name, given in classes.items():
        odd = sorted(set(given) ^ set(classes['train']))
        if odd:
            raise ValueError(
                f'{root}: train/ and {name}/ differ in the classes {shortened([plain(one) for one in odd])}; '
                'give both the same folders'
            )


def measure(folder: ImageFolder, side: int | None, say: Callable[[str], None]) -> Measured:
    """Mean and spread of the training images; reads every image once, so that a damaged file is found now.

    Args:
        folder: The images.
        side: Side that the images are brought to; None: theirs if all are equal squares, else the largest usual one that
            their shorter sides have in the median.
        say: Told what is left out.

    Returns:
        The numbers; each image counts the same.

    Raises:
        ValueError: If files cannot be read; names the first and their number.
    """
    images = [folder.root / folder.splits[name] / path for name in ('train', 'val') for path, _ in folder.images[name]]
    train = len(folder.images['train'])
    if len(images) > MEASURED:
        say(f'{MEASURED} of {len(images)} images are read for mean and spread; damaged files among the others are not found')
        train, images = MEASURED, [images[place] for place in spread(train, MEASURED)]
    sums, shapes, bad = np.zeros((2, 3)), [], []
    for number, path in enumerate(images):
        pixels, reason = read_image(path)
        if pixels is None:
            bad.append(f'{path} cannot be read: {reason}')
            continue
        shapes.append(pixels.shape[:2])
        if number < train:
            values = pixels.reshape(-1, 3)[:, ::-1].astype(np.float64)
            sums += values.mean(axis=0), np.square(values).mean(axis=0)
    if bad:
        raise ValueError(f'{bad[0]}' + (f' (and {len(bad) - 1} more files)' if bad[1:] else '') + '; repair or remove it')
    mean, squares = sums / train
    usual = _side(shapes) if side is None else side
    same = all(shape == (usual, usual) for shape in shapes)
    std = np.sqrt(np.maximum(squares - mean**2, 1.0))  # images of one colour have none
    return Measured(tuple(np.round(mean, 2).tolist()), tuple(np.round(std, 2).tolist()), usual, same, train)


def read_image(path: Path) -> tuple[np.ndarray | None, str]:
    """Pixels of an image as the training reads them (blue, green, red), or why they cannot be read."""
    try:
        content = path.read_bytes()
        check_image(content)
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, ValueError, cv2.error) as error:
        return None, ' '.join(str(error).split())
    return pixels, '' if pixels is not None else 'OpenCV cannot decode it'


def _side(shapes: list[tuple[int, int]]) -> int:
    first = shapes[0]
    if first[0] == first[1] <= SIDES[-1] and set(shapes) == {first}:
        return first[0]
    middle = float(np.median([min(shape) for shape in shapes]))
    return max([side for side in SIDES if side <= middle], default=SIDES[0])
