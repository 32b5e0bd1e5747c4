"""mmengine's download of checkpoints loads them without care: it takes ``torch.hub.load_state_dict_from_url``.

Applies: always. Changes: ``load_url`` of ``mmengine.utils.dl_utils`` and of ``mmengine.runner.checkpoint``
downloads in the same way, to the same place, and then calls ``load_checkpoint_safely``.
Upstream: mmengine issue #1655 and PR #1650, open.
"""

from __future__ import annotations

import os
import os.path as osp
from types import ModuleType
from typing import Any
from urllib.parse import urlparse

import torch

from .import_hook import on_import
from .safe_load import load_checkpoint_safely


def install() -> None:
    """Replaces mmengine's ``load_url`` where it is exported and where the loader of checkpoints holds it."""
    for name in ('mmengine.utils.dl_utils', 'mmengine.runner.checkpoint'):
        on_import(name, after=_mend)


def _mend(module: ModuleType) -> None:
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
    """``torch.hub.load_state_dict_from_url`` with ``load_checkpoint_safely`` at its end.

    Args:
        url (str): Where the file is.
        model_dir (str, optional): Folder to keep it in. Defaults to ``checkpoints`` in torch's hub folder.
        map_location (Any): As for ``torch.load``.
        progress (bool): Whether to show the progress. Defaults to True.
        check_hash (bool): Whether the name ends in ``-<sha256>``, at least 8 digits, that the content must have.
            Defaults to False.
        file_name (str, optional): Name to keep it under. Defaults to the last part of the path of ``url``.
        **options (Any): Others of torch, such as ``weights_only``, mean nothing here.

    Returns:
        Any: The content of the file.

    Raises:
        ConnectionError: If the file cannot be downloaded.
        Exception: As ``load_checkpoint_safely``.
    """
    model_dir = model_dir or osp.join(torch.hub.get_dir(), 'checkpoints')
    file_name = file_name or osp.basename(urlparse(url).path)
    path = osp.join(model_dir, file_name)
    if not osp.exists(path):
        os.makedirs(model_dir, exist_ok=True)
        digits = torch.hub.HASH_REGEX.search(file_name) if check_hash else None
        try:
            torch.hub.download_url_to_file(url, path, digits and digits.group(1), progress=progress)
        except OSError as error:
            raise ConnectionError(f'{url} could not be downloaded to {path}: {error}') from error
    return load_checkpoint_safely(path, map_location)
