"""Checks that labels of two data sets have the same meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from icckd_mm.datasets.files.folders import shortened
from icckd_mm.datasets.wrappers.class_map import ClassMap
from icckd_mm.datasets.wrappers.nesting import inner_datasets, labelled_datasets, labels_of
from icckd_mm.plain_text import plain

from .random_images import RandomImages

Names = tuple[str, ...]


def class_lists(dataset: Any) -> list[dict[str, Names]]:
    """The meaning of the labels of a data set.

    Args:
        dataset: A data set of mmengine or wrappers around some; its images are listed already.

    Returns:
        For each data set inside: ``classes``, the names in its ``metainfo``, and ``class folders``, the folders from which its
        labels were numbered. For a ``ClassMap`` both list the old classes of each new label. Unknown entries
        are left out; noise instead of data has none.
    """
    inner = inner_datasets(dataset)
    if isinstance(dataset, ClassMap):
        return [_mapped(dataset, old) for old in class_lists(dataset.dataset)]
    if inner:
        return [found for one in inner for found in class_lists(one)]
    lists: dict[str, Names] = {}
    if not isinstance(dataset, RandomImages):
        names = dict(getattr(dataset, 'metainfo', {})).get('classes')
        folders = getattr(dataset, 'folder_to_idx', None)
        lists.update({} if names is None else {'classes': tuple(map(str, names))})
        lists.update({} if not folders else {'class folders': tuple(sorted(folders, key=folders.get))})
    return [lists]


def _mapped(dataset: ClassMap, old: dict[str, Names]) -> dict[str, Names]:
    dataset.full_init()
    return {
        kind: tuple(' + '.join(names[label] for label in group) for group in dataset.member_labels)
        for kind, names in old.items()
    }


def check_same_classes(splits: Mapping[str, Any]) -> None:
    """Refuse data sets in which one label has several meanings.

    Args:
        splits: Data sets by their key in the config.

    Raises:
        ValueError: If so; names the classes that differ.
    """
    known: dict[str, tuple[str, Names]] = {}
    for place, dataset in splits.items():
        for lists in class_lists(dataset):
            for kind, names in lists.items():
                first, expected = known.setdefault(kind, (place, names))
                if names != expected:
                    other = place if place != first else f'another part of {place}'
                    raise ValueError(
                        f'{kind} differ: {difference(first, expected, other, names)}, so labels mean different classes; '
                        'give every split the same class folders, empty ones too, or the same classes in the same order'
                    )


def check_trained_classes(trained: Any, where: str, dataset: Any, place: str) -> str | None:
    """Refuse a data set whose labels differ in meaning from those that a network was trained with.

    Args:
        trained: Classes in a checkpoint; anything but a list of names is ignored.
        where: The checkpoint, for the message.
        dataset: The data set.
        place: Its name, for the message.

    Returns:
        A warning if no name is common to both, as with other spellings; else None.

    Raises:
        ValueError: If the number of classes differs, or only some of the names have the same label.
    """
    if not isinstance(trained, (list, tuple)) or not trained or not all(isinstance(name, str) for name in trained):
        return None
    expected = tuple(trained)
    names = tuple(map(str, dataset.metainfo.get('classes') or ())) if any(class_lists(dataset)) else ()
    if not names or names == expected:
        return None
    differing = f'classes of {place} are not those of {where}: {difference(where, expected, place, names)}'
    if len(names) != len(expected) or set(names) & set(expected):
        raise ValueError(f'{differing}; test and teach on the classes that the network was trained with, in their order')
    return f'{differing}; this is correct only if both name the same classes in the same order'


def difference(first: str, expected: Sequence[str], second: str, names: Sequence[str]) -> str:
    """A short description of how two lists of classes differ.

    Example:
        >>> difference('train', ['cat', 'dog'], 'val', ['dog', 'owl'])
        'only train has cat; only val has owl'
    """
    given, wanted = set(names), set(expected)
    lacking = [plain(name) for name in expected if name not in given]
    surplus = [plain(name) for name in names if name not in wanted]
    parts = [f'only {place} has {shortened(some)}' for place, some in ((first, lacking), (second, surplus)) if some]
    if parts:
        return '; '.join(parts)
    if len(expected) != len(names):
        return f'{first} names {len(expected)}, {second} {len(names)}'
    label = next(label for label, (one, other) in enumerate(zip(expected, names)) if one != other)
    return f'label {label} is {plain(expected[label])} in {first} and {plain(names[label])} in {second}'


def check_labels(dataset: Any, num_classes: int) -> None:
    """Raise ``ValueError`` if a label of the data set, where known, is not a class of the head."""
    for part in labelled_datasets(dataset):
        labels = labels_of(part)
        if len(labels) and (labels.min() < 0 or labels.max() >= num_classes):
            raise ValueError(
                f'labels of {type(part).__name__} run from {labels.min()} to {labels.max()}, but the head has '
                f'{num_classes} classes; set head.num_classes={labels.max() + 1} or correct the annotation'
            )
