"""Tiny-ImageNet-200 as it is distributed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmpretrain.datasets import BaseDataset

from icckd_mm.datasets.files.folders import check_layout
from icckd_mm.registry import DATASETS


@DATASETS.register_module()
class TinyImageNet(BaseDataset):
    """100,000 training and 10,000 validation images, 64x64, of 200 classes of ImageNet, read from the unpacked archive.

    The folder is the one that the archive of Stanford's CS231n unpacks to: ``wnids.txt``, ``words.txt``,
    ``train/<wnid>/images/*.JPEG`` and ``val/images/*.JPEG`` with ``val/val_annotations.txt``. Classes are numbered by sorted
    wnid, as if the training folder were an image folder, and named by ``words.txt``, if it exists. The test images have no
    labels and are not read.

    Args:
        data_root: The folder.
        split: ``'train'`` or ``'val'``. Defaults to ``'train'``.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`: ``pipeline``, ``indices``, ``test_mode``, …

    Raises:
        ValueError: If ``split`` is unknown, if the folder is missing or incomplete, or if images that it lists are missing.
    """

    def __init__(self, data_root: str, split: str = 'train', **kwargs: Any) -> None:
        if split not in ('train', 'val'):
            raise ValueError(f"split must be 'train' or 'val' (the test images have no labels), got {split!r}")
        self.split = split
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """The images of the split, by class in training, in the order of ``val_annotations.txt`` in validation.

        Returns:
            ``img_path`` and ``gt_label`` of each image.
        """
        check_layout('TinyImageNet', self.data_root)
        root = Path(self.data_root).expanduser()
        wnids = sorted((root / 'wnids.txt').read_text(encoding='utf-8').split())
        self._metainfo.setdefault('classes', tuple(class_names(root / 'words.txt', wnids)))
        labels = {wnid: label for label, wnid in enumerate(wnids)}
        images = train_images(root / 'train', wnids) if self.split == 'train' else val_images(root / 'val', labels)
        return [{'img_path': str(path), 'gt_label': labels[wnid]} for path, wnid in images]

    def extra_repr(self) -> list[str]:
        return [f'Root of dataset: \t{self.data_root}', f'Split: \t{self.split}']


def class_names(words: Path, wnids: list[str]) -> list[str]:
    """Names of the classes in ``words.txt``; a wnid that it lacks is its own name."""
    lines = words.read_text(encoding='utf-8').splitlines() if words.is_file() else []
    names = dict(line.split('\t', 1) for line in lines if '\t' in line)
    return [names.get(wnid, wnid) for wnid in wnids]


def train_images(folder: Path, wnids: list[str]) -> list[tuple[Path, str]]:
    """Path and wnid of the training images; all files in the list of boxes of a class must exist."""
    images, missing, listed, empty = [], [], 0, []
    for wnid in wnids:
        found = {path.name: path for path in (folder / wnid / 'images').glob('*.JPEG')}
        boxes = folder / wnid / f'{wnid}_boxes.txt'
        names = [line.split('\t')[0] for line in boxes.read_text().splitlines()] if boxes.is_file() else sorted(found)
        listed += len(names)
        missing += [folder / wnid / 'images' / name for name in names if name not in found]
        images += [(found[name], wnid) for name in sorted(found)]
        empty += [] if found else [folder / wnid / 'images']
    if empty:
        raise ValueError(f'{len(empty)} of {len(wnids)} classes have no images, first: {empty[0]}; unpack the archive again')
    _check_missing(missing, listed, 'train/<wnid>/<wnid>_boxes.txt')
    return images


def val_images(folder: Path, labels: dict[str, int]) -> list[tuple[Path, str]]:
    """Path and wnid of the validation images, as ``val_annotations.txt`` lists them."""
    annotations = list(_annotations(folder / 'val_annotations.txt', labels))
    found = {path.name for path in (folder / 'images').iterdir()}
    missing = [folder / 'images' / name for name, _ in annotations if name not in found]
    _check_missing(missing, len(annotations), 'val_annotations.txt')
    return [(folder / 'images' / name, wnid) for name, wnid in annotations]


def _annotations(file: Path, labels: dict[str, int]) -> Iterator[tuple[str, str]]:
    lines = file.read_text(encoding='utf-8').splitlines()
    if not lines:
        raise ValueError(f'{file} is empty; unpack the archive again')
    for number, line in enumerate(lines, 1):
        name, wnid = (*line.split('\t'), '')[:2]
        if wnid not in labels:
            raise ValueError(f'line {number} of {file} must name an image and a class of wnids.txt, got {line!r}')
        yield name, wnid


def _check_missing(missing: list[Path], listed: int, where: str) -> None:
    if missing:
        raise ValueError(
            f'{len(missing)} of {listed} files listed in {where} are missing, first: {missing[0]}; unpack the archive again'
        )
