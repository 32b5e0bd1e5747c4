"""Loading a local checkpoint fails on torch >= 2.6 and may run code on older versions.

Applies: always. It is the one mend outside mmrazor that changes more than an error: a file that could run code is refused.
Changes: mmengine's loader of local files (resume, ``load_from``, ``teacher_ckpt``, ``init_cfg=dict(type='Pretrained')``,
``CheckpointHook(published_keys=…)``) uses ``load_checkpoint_safely``. Other schemes (http, s3, …) stay as they are.
Upstream: mmengine issue #1655 and PR #1650, open.
"""

from __future__ import annotations

import logging
import os
import os.path as osp
import pickle
import tarfile
from types import ModuleType
from typing import Any

import torch

from .import_hook import on_import

ADVICE = (
    'If you trust its source, load it once with torch.load(..., weights_only=False), keep tensors, numbers, strings and plain '
    "containers (such as 'state_dict' and 'meta'), write them with torch.save and use the new file."
)


def install() -> None:
    """Replaces mmengine's loader of local files."""
    on_import('mmengine.runner.checkpoint', after=_mend)


def _mend(module: ModuleType) -> None:
    loader = module.CheckpointLoader
    if loader._schemes.get('') is not module.load_from_local or module.load_from_local is load_from_local:
        return  # done already, or somebody has registered a loader of their own
    loader.register_scheme('', load_from_local, force=True)
    module.__dict__['load_from_local'] = load_from_local
    logging.getLogger('icckd_mm.compat').debug('local checkpoints are loaded safely')


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Loads a local checkpoint for mmengine, which logs the end of this function's name as the backend."""
    return load_checkpoint_safely(filename, map_location)


def load_checkpoint_safely(path: str | os.PathLike, map_location: Any = None) -> Any:
    """What ``torch.load`` gives for a checkpoint, without ever running code from the file.

    ``weights_only=True`` comes first. What it refuses is read by a restricted unpickler, which also knows the logs of mmengine.

    Args:
        path (str | os.PathLike): A file written by ``torch.save``; ``~`` is the home folder.
        map_location (Any): As for ``torch.load``.

    Returns:
        Any: The content, in general a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        pickle.UnpicklingError: If it asks for a class or function that has no place in a checkpoint.
        ValueError: If it is damaged or no checkpoint at all.
        RuntimeError: If torch cannot rebuild the content, for instance on a device that is not there.
    """
    path = osp.expanduser(os.fspath(path))
    if not osp.isfile(path):
        raise FileNotFoundError(f'{path} can not be found.')
    _check_format(path)
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except Exception:  # the second reader says what is wrong
        return _load_restricted(path, map_location)


def _load_restricted(path: str, map_location: Any) -> Any:
    from . import safe_unpickler  # imports mmengine

    try:
        return torch.load(path, map_location=map_location, pickle_module=safe_unpickler, weights_only=False)
    except safe_unpickler.RefusedGlobalError as error:
        raise pickle.UnpicklingError(f'{path} was not loaded: it asks for {error}, which could run code. {ADVICE}') from None
    except RuntimeError as error:
        raise RuntimeError(f'{path} could not be loaded: {error}') from error
    except Exception as error:
        raise _damaged(path, f'{type(error).__name__}: {error}') from error


def _check_format(path: str) -> None:
    with open(path, 'rb') as file:
        magic = file.read(4)
    if magic == b'PK\x03\x04':
        try:  # torch's own reader: another one could see other records in a forged file
            records = torch._C.PyTorchFileReader(path).get_all_records()
        except RuntimeError as error:
            raise _damaged(path, str(error).split('\n')[0]) from error
        if 'constants.pkl' in records:
            raise pickle.UnpicklingError(f'{path} was not loaded: it is a TorchScript program, not a checkpoint.')
    elif tarfile.is_tarfile(path):
        raise pickle.UnpicklingError(f'{path} was not loaded: it is a tar file, as torch wrote them before 0.1.10. {ADVICE}')


def _damaged(path: str, reason: str) -> ValueError:
    size = osp.getsize(path)
    return ValueError(
        f'{path} ({size} bytes) is damaged or no checkpoint ({reason}). Copy or download it again, or take an older one.'
    )
