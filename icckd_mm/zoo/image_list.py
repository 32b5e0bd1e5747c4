"""The list of test images that a published folder carries: of a held-out share no data folder has one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from icckd_mm.regular_file import read_regular

LIST = 'images.txt'
LARGEST_LIST, LARGEST_LABEL = 20_000_000, 2_000_000  # bytes, and classes
KINDS = ('CustomDataset', 'ImageNet')  # read lines of path and label


def list_to_carry(dataset: Mapping[str, Any]) -> bytes | None:
    """The list of a data set that lies outside its data, as it is written into the published folder.

    Args:
        dataset: Config of the data set.

    Returns:
        Its content; None if the data set has none, or one that :func:`check_list` refuses, which stays where it is.
    """
    given = dataset.get('ann_file')
    if not isinstance(given, str) or not given or str(dataset.get('type')).rpartition('.')[2] not in KINDS:
        return None
    if dataset.get('data_root') and not Path(given).is_absolute():
        return None  # part of the data
    try:
        content = read_list(Path(given))
        check_list(content, LIST)
    except (OSError, ValueError):
        return None
    return content


def check_carried(dataset: Mapping[str, Any], folder: Path) -> None:
    """Check the list of a published folder before its lines name files to read.

    Args:
        dataset: Config of the data set, from a published config.
        folder: The published folder.

    Raises:
        OSError: If it cannot be read.
        ValueError: If the list may lead out of the folder of the images.
    """
    if dataset.get('ann_file') != LIST or not (folder / LIST).exists():
        return
    if (folder / LIST).is_symlink():
        raise ValueError(f'{LIST} is a link; publish the run again')
    check_list(read_list(folder / LIST), LIST)


def read_list(path: Path) -> bytes:
    """The content of a regular file that is not too large for a list."""
    if path.stat().st_size > LARGEST_LIST:
        raise ValueError(f'{path.name} has more than {LARGEST_LIST} bytes')
    return read_regular(path)


def check_list(content: bytes, name: str) -> None:
    """Check that each line is a path below the folder of the images, a space and a label.

    Args:
        content: UTF-8.
        name: For messages.

    Raises:
        ValueError: If a line is something else; names its number.

    Example:
        >>> check_list(b'a/1.png 0\\n../../2.png 1\\n', 'val.txt')
        Traceback (most recent call last):
        ValueError: line 2 of val.txt is not a path below the images and a label; write 'class/image.png 0'
    """
    for number, line in enumerate(content.decode('utf-8').removesuffix('\n').split('\n'), 1):
        path, _, label = line.strip().rpartition(' ')
        below = bool(path) and not path.startswith(('/', '~')) and '..' not in PurePosixPath(path).parts
        whole = len(label) <= len(str(LARGEST_LABEL)) and label.isascii() and label.isdecimal() and int(label) < LARGEST_LABEL
        if not below or not whole or '://' in path or '\0' in path or '\\' in path:
            raise ValueError(f"line {number} of {name} is not a path below the images and a label; write 'class/image.png 0'")
