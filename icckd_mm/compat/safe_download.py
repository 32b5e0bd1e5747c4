"""mmengine loads downloaded checkpoints unsafely, and confuses addresses with the same last part.

Applies: always. Changes: ``load_url`` of ``mmengine.utils.dl_utils`` and of ``mmengine.runner.checkpoint``, which is
``torch.hub.load_state_dict_from_url``, stores each address under a separate name and calls ``load_checkpoint_safely``.
Upstream: mmengine issue #1655 and PR #1650, open.
"""

from __future__ import annotations

import hashlib
import os
import os.path as osp
import pickle
from types import ModuleType
from typing import Any
from urllib.parse import urlparse

import torch

from .import_hook import on_import
from .safe_load import load_checkpoint_safely

HASH_DIGITS = 8  # as in torch.hub


def install() -> None:
    """Replaces mmengine's ``load_url`` in the module that exports it and in the loader of checkpoints."""
    for name in ('mmengine.utils.dl_utils', 'mmengine.runner.checkpoint'):
        on_import(name, after=_replace)


def _replace(module: ModuleType) -> None:
    module.__dict__['load_url'] = load_url


def load_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    **options: Any,
) -> Any:
    """``torch.hub.load_state_dict_from_url`` that loads with ``load_checkpoint_safely``.

    The name of a kept file starts with a hash of its address, query included. A download that does not load is removed. A file
    that was put into the folder by hand is used if the hash in its name is that of its content, as for files of OpenMMLab.

    Args:
        url: Address of the file.
        model_dir: Folder to keep it in. Defaults to ``checkpoints`` in torch's hub folder.
        map_location: As for ``torch.load``.
        progress: Whether to show the progress.
        check_hash: Whether the name ends in ``-<sha256>``, at least 8 digits, that the content must have.
        file_name: File name to use instead. Defaults to a hash and the last part of the path of ``url``.
        **options: Other options of torch, such as ``weights_only``; ignored.

    Returns:
        The content of the file.

    Raises:
        ConnectionError: If the file cannot be downloaded.
        Exception: As ``load_checkpoint_safely``.
    """
    model_dir = model_dir or osp.join(torch.hub.get_dir(), 'checkpoints')
    name = osp.basename(urlparse(url).path)
    path = osp.join(model_dir, file_name or f'{hashlib.sha256(url.encode()).hexdigest()[:16]}_{name}')
    placed = osp.join(model_dir, name)
    if not osp.exists(path) and _is_what_its_name_says(placed):
        path = placed
    fresh = not osp.exists(path)
    if fresh:
        _download(url, path, progress, check_hash)
    try:
        return load_checkpoint_safely(path, map_location)
    except (ValueError, pickle.UnpicklingError) as error:
        if fresh:
            os.remove(path)
            raise type(error)(f'{error} It came from {url} and was not kept.') from error
        raise


def _is_what_its_name_says(path: str) -> bool:
    """Whether a file that was put into the folder by hand has the hash in its name; its source is unknown."""
    digits = torch.hub.HASH_REGEX.search(osp.basename(path))
    if digits is None or len(digits.group(1)) < HASH_DIGITS or not osp.isfile(path):
        return False
    content = hashlib.sha256()
    with open(path, 'rb') as file:
        for part in iter(lambda: file.read(2**20), b''):
            content.update(part)
    return content.hexdigest().startswith(digits.group(1))


def _download(url: str, path: str, progress: bool, check_hash: bool) -> None:
    """Downloads the file; torch writes it under a unique name and renames it at the end."""
    digits = torch.hub.HASH_REGEX.search(osp.basename(path)) if check_hash else None
    os.makedirs(osp.dirname(path), exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, path, digits and digits.group(1), progress=progress)
    except OSError as error:
        raise ConnectionError(f'{url} could not be downloaded to {path}: {error}') from error
