"""Data sets by the names of this package, and folders of images."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from icckd_mm.compose.given.folder import ImageFolder, Measured, measure, read_folder
from icckd_mm.compose.literals import Reference
from icckd_mm.datasets.files.folders import check_data_folder
from icckd_mm.packaged import named_config
from icckd_mm.plain_text import plain

LARGE = 128  # sides from here on have the crops and the settings of ImageNet
SMALLEST = 8
NAMES = {  # classes, training images, side, schedule
    'cifar10': (10, 50_000, 32, 'cifar_240e'),
    'cifar100': (100, 50_000, 32, 'cifar_240e'),
    'digits': (10, 1_437, 16, 'digits_15e'),
    'in1k': (1000, 1_281_167, 224, 'in1k_100e'),
    'tiny-imagenet': (200, 100_000, 64, 'cifar_240e'),
}


@dataclass(frozen=True)
class Data:
    """Images, and what a config says about them.

    Attributes:
        given: What the user wrote.
        base: Config of this package that the new one inherits from.
        wanted: What the new one sets.
        comment: What is written above it.
        pipeline: Training pipeline, without wrappers.
        num_classes: Number of classes.
        train_images: Number of training images.
        size: Side of the images.
        fill: What is cut out of images gets this colour, in the order of their channels.
        schedule: Published schedule; None for a folder.
        files: Lists of images by file name.
        absent: Why the images cannot be read now; None if they can.
    """

    given: str
    base: str
    wanted: dict[str, Any]
    comment: str
    pipeline: list[dict]
    num_classes: int
    train_images: int
    size: int
    fill: tuple[int, ...] = (104, 116, 124)
    schedule: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    absent: str | None = None

    @property
    def recipe(self) -> str:
        """Which published settings apply: ``'cifar'`` to small images, ``'imagenet'`` to others."""
        return 'imagenet' if self.size >= LARGE else 'cifar'


def find_data(given: str, size: int | None, held_out: float, seed: int, say: Callable[[str], None] = print) -> Data:
    """A data set by its name or its folder.

    Args:
        given: A name of this package, or a folder of class folders.
        size: Side of the images of a folder; None: found.
        held_out: Share of each class of a folder without ``val`` or ``test`` that is held out, in (0, 1).
        seed: Seed of that choice.
        say: Told what is left out.

    Returns:
        The data.

    Raises:
        ValueError: If there is no such data set, or an image cannot be read.
    """
    if not 0 < held_out < 1:
        raise ValueError(f'held-out must lie between 0 and 1, got {held_out!r}; 0.1 holds out a tenth of each class')
    if size is not None and (not isinstance(size, int) or not SMALLEST <= size <= 2048):
        raise ValueError(f'size must be {SMALLEST} to 2048 pixels, got {size!r}')
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f'seed must be a whole number from 0, got {seed!r}')
    if given in NAMES:
        return _ours(given, size)
    place = Path(given).expanduser()
    if not place.is_dir():
        near = difflib.get_close_matches(given, NAMES, n=1)
        hint = f'did you mean {near[0]}? Or ' if near else ''
        what = f'{plain(given)} is not a folder' if place.exists() else f'the folder {plain(given)} does not exist'
        raise ValueError(f'data: {what}; {hint}give one with a folder per class, or one of {", ".join(NAMES)}')
    folder = read_folder(place, held_out, seed)
    return _of_folder(given, folder, measure(folder, size, say), held_out, seed)


def _ours(given: str, size: int | None) -> Data:
    num_classes, images, side, schedule = NAMES[given]
    if size not in (None, side):
        raise ValueError(f'{given} has images of {side}x{side}, got size {size}; leave size out')
    base = f'icckd_mm::_base_/datasets/{given}.py'
    cfg = Config.fromfile(named_config(base)).to_dict()
    absent = None
    try:
        check_data_folder(cfg['train_dataloader']['dataset'])
    except ValueError as error:
        absent = str(error)
    pipeline = cfg['train_dataloader']['dataset']['pipeline']
    schedule = f'icckd_mm::_base_/schedules/{schedule}.py'
    return Data(given, base, {}, '', pipeline, num_classes, images, side, schedule=schedule, absent=absent)


def _of_folder(given: str, folder: ImageFolder, measured: Measured, held_out: float, seed: int) -> Data:
    side, files = measured.side, {}
    pipelines = small_pipelines(side, measured.same) if side < LARGE else large_pipelines(side)
    loaders: dict[str, Any] = {}
    for split in ('train', 'val', 'test'):
        dataset = dict(_place(folder, split), pipeline=Reference(f'{"train" if split == "train" else "test"}_pipeline'))
        loaders[f'{split}_dataloader'] = dict(num_workers=2, dataset=dataset)
    if folder.listed:
        files = {f'{split}.txt': _lines(folder, split) for split in ('train', 'val')}
    same_test = loaders['val_dataloader'] == loaders['test_dataloader']
    wanted: dict[str, Any] = dict(
        data_preprocessor=dict(mean=list(measured.mean), std=list(measured.std), to_rgb=True),
        train_pipeline=pipelines[0],
        test_pipeline=pipelines[1],
        **loaders,
        val_evaluator=dict(type='Accuracy', topk=1),
        test_evaluator=dict(type='Accuracy', topk=1),
    )
    if same_test:
        wanted['test_dataloader'] = Reference('val_dataloader')
    counts = ', '.join(f'{len(folder.images[split])} {split}' for split in ('train', 'val', 'test')[: 2 + (not same_test)])
    comment = (
        f'{len(folder.classes)} classes of {plain(given)}: {counts} images at {side}x{side}\n'
        f'mean and spread (red, green, blue) of {measured.images} training images'
    )
    if folder.listed:
        comment += f'\nval.txt lists a held-out share of {held_out:g} of each class, chosen with seed {seed}'
    images, fill = len(folder.images['train']), tuple(map(round, reversed(measured.mean)))  # files are read as BGR
    base = 'icckd_mm::_base_/datasets/image_folder.py'
    return Data(given, base, wanted, comment, pipelines[0], len(folder.classes), images, side, fill, files=files)


def _place(folder: ImageFolder, split: str) -> dict[str, Any]:
    if not folder.listed:
        return dict(data_root=folder.root.as_posix(), data_prefix=folder.splits[split])
    name = 'train' if split == 'train' else 'val'
    return dict(
        data_root=(folder.root / folder.splits[split]).as_posix(),
        data_prefix='',
        ann_file=f'{{{{ fileDirname }}}}/{name}.txt',
        metainfo=dict(classes=list(folder.classes)),
    )


def _lines(folder: ImageFolder, split: str) -> str:
    odd = [path for path, _ in folder.images[split] if '\n' in path or '\r' in path]
    if odd:
        raise ValueError(f'{folder.root}: the name {plain(odd[0])} holds a line break; rename the file')
    lines = ((f'./{path}' if path[0].isspace() else path, label) for path, label in folder.images[split])
    return ''.join(f'{path} {label}\n' for path, label in lines)  # mmpretrain strips the lines


def small_pipelines(side: int, same: bool) -> tuple[list[dict], list[dict]]:
    """Training and test pipelines of small images: the benchmark's crop with a margin of an eighth, and flip."""
    load: dict[str, Any] = dict(type='LoadImageFromFile')
    resize: list[dict] = [] if same else [dict(type='ResizeEdge', scale=side, edge='short')]
    crop: dict[str, Any] = dict(type='RandomCrop', crop_size=side, padding=side // 8)
    flip: dict[str, Any] = dict(type='RandomFlip', prob=0.5)
    centre: list[dict] = [] if same else [dict(type='CenterCrop', crop_size=side)]
    pack: dict[str, Any] = dict(type='PackInputs')
    return [load, *resize, crop, flip, pack], [load, *resize, *centre, pack]


def large_pipelines(side: int) -> tuple[list[dict], list[dict]]:
    """Training and test pipelines of ImageNet at another side."""
    load: dict[str, Any] = dict(type='LoadImageFromFile')
    pack: dict[str, Any] = dict(type='PackInputs')
    crop: dict[str, Any] = dict(type='RandomResizedCrop', scale=side)
    train = [load, crop, dict(type='RandomFlip', prob=0.5, direction='horizontal'), pack]
    resize = dict(type='ResizeEdge', scale=round(side * 256 / 224), edge='short')
    return train, [load, resize, dict(type='CenterCrop', crop_size=side), pack]


def weak_strong_views(data: Data) -> list[dict]:
    """The training pipeline of two views that MLKD compares: the usual one, and one that also changes colours and cuts out.

    Args:
        data: The images; those with a published pipeline get it.

    Returns:
        For others that of CIFAR-100: two operations of RandAugment, then a square of up to half the side, filled with the mean.
    """
    try:
        published = Config.fromfile(named_config(f'icckd_mm::_base_/datasets/{data.given}_weak_strong_views.py'))
    except FileNotFoundError:
        first = int(data.pipeline[0]['type'].startswith('LoadImage'))
        weak = data.pipeline[first:-1]
        cut = dict(type='Cutout', magnitude_range=(0, data.size // 2), pad_val=data.fill, prob=1.0)
        strong = [dict(type='RandAugment', policies='timm_increasing', num_policies=2), cut]
        strong = [*weak, *(dict(step, magnitude_level=10, magnitude_std='inf') for step in strong)]
        views = dict(type='MultiView', num_views=[1, 1], transforms=[weak, strong])
        return [*data.pipeline[:first], views, data.pipeline[-1]]
    return published.to_dict()['train_dataloader']['dataset']['pipeline']


def two_views(pipeline: list[dict]) -> list[dict]:
    """A training pipeline that gives two views of each image."""
    first = int(pipeline[0]['type'].startswith('LoadImage'))
    views = dict(type='MultiView', num_views=2, transforms=[pipeline[first:-1]])
    return [*pipeline[:first], views, pipeline[-1]]
