"""Checks that the folder of a data set is complete; otherwise says how to get it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from icckd_mm.datasets.wrappers.nesting import innermost_configs

SHOWN = 5


@dataclass(frozen=True)
class Layout:
    """The expected content of a data set's folder.

    Attributes:
        title: Name for messages.
        files: Files and folders in it.
        source: How to get it.
    """

    title: str
    files: tuple[str, ...]
    source: str


CIFAR = 'unpack https://www.cs.toronto.edu/~kriz/{} there, or let mmpretrain do so with download=True in the data set'
LAYOUTS = {
    'CIFAR10': Layout(
        'CIFAR-10',
        tuple(f'cifar-10-batches-py/{name}' for name in (*(f'data_batch_{i}' for i in range(1, 6)), 'test_batch')),
        CIFAR.format('cifar-10-python.tar.gz'),
    ),
    'CIFAR100': Layout(
        'CIFAR-100', ('cifar-100-python/train', 'cifar-100-python/test'), CIFAR.format('cifar-100-python.tar.gz')
    ),
    'TinyImageNet': Layout(
        'Tiny-ImageNet',
        ('wnids.txt', 'train', 'val/images', 'val/val_annotations.txt'),
        'unpack http://cs231n.stanford.edu/tiny-imagenet-200.zip in the folder above it',
    ),
    'ImageNet': Layout(
        'ImageNet-1k',
        ('train', 'val'),
        'ask for ILSVRC2012 at https://image-net.org/download and sort the images into train/<class> and val/<class>',
    ),
}
ANY_FOLDER = Layout('the data set', (), 'put one folder per class there, or set data_root to another folder')


def check_data_folder(dataset: Mapping[str, Any]) -> None:
    """Check that the folder of a data set exists and is complete.

    Args:
        dataset: Config of a data set or of a wrapper around one. Without ``data_root``, with a remote one,
            or with ``download=True``, nothing is checked.

    Raises:
        ValueError: If the folder or a part of it is missing; names the expected and the existing files, and how to get them.
    """
    for inner in innermost_configs(dataset):
        root = str(inner.get('data_root') or '')
        if '://' in root or inner.get('download'):
            continue
        if root:
            check_layout(str(inner['type']).rsplit('.', 1)[-1], root)
        check_parts(inner, root)


def check_parts(dataset: Mapping[str, Any], root: str) -> None:
    """See that ``data_prefix`` and ``ann_file`` of a data set are there.

    Args:
        dataset: Its config.
        root: Its ``data_root``, or ``''``.

    Raises:
        ValueError: If one is missing, or a folder is empty; names it and what is beside it.
    """
    prefixes = dataset.get('data_prefix') or {}
    prefixes = prefixes if isinstance(prefixes, Mapping) else {'': prefixes}
    for key, part in [*prefixes.items(), ('ann_file', dataset.get('ann_file'))]:
        path = os.path.join(os.path.expanduser(root), str(part or ''))
        if not isinstance(part, str) or not part or '://' in path:
            continue
        if os.path.isfile(path) if key == 'ann_file' else os.path.isdir(path) and os.listdir(path):
            continue
        name = 'ann_file' if key == 'ann_file' else f'data_prefix.{key}' if key else 'data_prefix'
        above = os.path.dirname(path.rstrip('/')) or '.'
        beside = shortened(sorted(os.listdir(above))) if os.path.isdir(above) else 'nothing, it does not exist either'
        state = 'is empty' if os.path.isdir(path) else f'does not exist; {above} holds {beside}'
        raise ValueError(f'{path} of the data set {state}; correct {name}={part!r}')


def check_layout(kind: str, root: str) -> None:
    """Check that ``root`` holds the files that a data set of class ``kind`` needs.

    Args:
        kind: Name of the class; for an unknown one only the folder is checked.
        root: The folder.

    Raises:
        ValueError: See :func:`check_data_folder`.
    """
    layout = LAYOUTS.get(kind, ANY_FOLDER)
    folder = os.path.expanduser(root)
    found = sorted(os.listdir(folder)) if os.path.isdir(folder) else None
    missing = [name for name in layout.files if not os.path.exists(os.path.join(folder, name))]
    if found and not missing:
        return
    if found is None:
        state = 'does not exist'
    elif found:
        state = f'holds {shortened(found)}, but not {shortened(missing)}'
    else:
        state = 'is empty'
    needed = f' (expected in it: {", ".join(layout.files)})' if layout.files else ''
    raise ValueError(f'the folder {root} of {layout.title} {state}{needed}; {layout.source}')


def shortened(names: list[str]) -> str:
    """The first few of many names, and the number of the others.

    Example:
        >>> shortened([f'{i}.jpg' for i in range(7)])
        '0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 2 more'
    """
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more
