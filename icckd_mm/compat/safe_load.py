"""Loading a checkpoint with mmengine fails on torch >= 2.6 and may run code on older versions.

Applies: always. It is the one patch outside mmrazor that changes more than an error: a file that could run code is refused.
Changes: whatever ``mmengine.runner.checkpoint`` reads comes from ``load_checkpoint_safely``: resume, ``load_from``,
``teacher_ckpt``, ``init_cfg=dict(type='Pretrained')``, ``CheckpointHook(published_keys=…)``, ``get_model``, from every scheme
that mmengine brings (local, http, pavi, s3, torchvision, openmmlab, mmcls). A scheme that somebody registers is theirs.
Upstream: mmengine issue #1655 and PR #1650, open.

The reader is ours on every version of torch, container and pickle both: ``torch.load(weights_only=True)`` of 2.11 ends the
interpreter on a key of nested tuples, hangs on equal hashes, and shows foreign memory for a legacy file without data. Below
torch 2.10 it also corrupts memory (GHSA-63cw-57p8-fm3p), so that a reader of our own was needed anyway.
"""

from __future__ import annotations

import errno
import logging
import os
import os.path as osp
import pickle
from types import ModuleType
from typing import Any, BinaryIO, Union

import torch

from .import_hook import on_import

Source = Union[str, os.PathLike, BinaryIO]
ADVICE = (
    'If you trust its source, load it once with torch.load(..., weights_only=False), keep tensors, numbers, strings and plain '
    "containers (such as 'state_dict' and 'meta'), write them with torch.save and use the new file."
)
REPAIR = 'Take a file whose source you trust, or write its weights alone with torch.save and use that file.'


def install() -> None:
    """Gives mmengine's module of loaders a torch that loads safely."""
    on_import('mmengine.runner.checkpoint', after=_patch)


def _patch(module: ModuleType) -> None:
    if not isinstance(module.torch, SafeTorch):
        module.__dict__['torch'] = SafeTorch('torch')
        logging.getLogger('icckd_mm.compat').debug('checkpoints are loaded safely')


class SafeTorch(ModuleType):
    """The module ``torch`` as mmengine's loaders see it: every name is torch's own, only ``load`` is not."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(source: Source, map_location: Any = None, **options: Any) -> Any:
        """``load_checkpoint_safely``, whatever the options.

        Raises:
            ValueError: If the file holds no dict; mmengine would go on to look for keys in it.
        """
        checkpoint = load_checkpoint_safely(source, map_location)
        if not isinstance(checkpoint, dict):
            name = source if isinstance(source, str) else 'the file'
            raise ValueError(f'{name} is not a checkpoint: it holds a {type(checkpoint).__name__} instead of a dict of weights')
        return checkpoint


def load_checkpoint_safely(source: Source, map_location: Any = None) -> Any:
    """What ``torch.load`` gives for a checkpoint, without ever running code from the file.

    A ``defaultdict`` comes back as a dict, a ``deque`` as a list.

    Args:
        source: A file written by ``torch.save``, or its content as a stream; ``~`` is the home folder. A name that ends in
            ``.safetensors`` gives a dict of tensors on the CPU, if safetensors is installed.
        map_location: As for ``torch.load``.

    Returns:
        The content, in general a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        pickle.UnpicklingError: If it asks for a class or function that has no place in a checkpoint.
        ValueError: If it is damaged, not a checkpoint at all, or holds what :mod:`.checkpoint_gate` does not let through.
        RuntimeError: If torch cannot rebuild the content, for instance on a device that is not there.
    """
    if isinstance(source, (str, os.PathLike)):
        source = osp.expanduser(os.fspath(source))
        if not osp.isfile(source):
            raise FileNotFoundError(f'{source} can not be found.')
    name = source if isinstance(source, str) else 'the stream'
    try:
        content = _load(source, map_location)
    except RefusedFileError as error:
        raise pickle.UnpicklingError(f'{name} was not loaded: {_one_line(error)}') from None
    except RuntimeError as error:
        raise RuntimeError(f'{name} could not be loaded: {_one_line(error)}') from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: the file names a place before its start
            raise
        size = f' ({osp.getsize(name)} bytes)' if isinstance(source, str) else ''
        raise ValueError(
            f'{name}{size} is damaged or not a PyTorch checkpoint ({type(error).__name__}: {_one_line(error)}). '
            'Copy or download it again, or take an older one.'
        ) from error
    from icckd_mm.compat.checkpoints.gate import ContentError, check_content  # imports mmengine

    try:
        check_content(content)
    except ContentError as error:
        raise ValueError(f'{name} was not loaded: {_one_line(error)}. {REPAIR}') from None
    return content


def _one_line(error: Exception) -> str:
    """Its message; what a file wrote into it can neither start a line nor steer a terminal."""
    return ''.join(letter if letter.isprintable() else ' ' for letter in str(error)[:700])


class RefusedFileError(Exception):
    """A file could run code; the message says how."""


def _load(source: str | BinaryIO, map_location: Any) -> Any:
    if not isinstance(source, str):
        return _read(source, map_location)
    if source.endswith('.safetensors'):
        return _load_safetensors(source)
    with open(source, 'rb') as file:
        return _read(file, map_location)


def _read(file: BinaryIO, map_location: Any) -> Any:
    """The content of a zip file or legacy file, told apart by its first bytes."""
    from icckd_mm.compat.checkpoints.container import ProgramError, read_legacy, read_zip  # imports mmengine
    from icckd_mm.compat.checkpoints.values import RefusedGlobalError

    file.seek(0)
    head = file.read(512)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if head[257:262] == b'ustar':
        raise RefusedFileError(f'it is a tar file, as torch wrote them before 0.1.10. {ADVICE}')
    read = read_zip if head.startswith(b'PK\x03\x04') else read_legacy
    try:
        return read(file, size, torch.serialization._get_restore_location(map_location))
    except RefusedGlobalError as error:
        raise RefusedFileError(f'it asks for {error}, which could run code. {ADVICE}') from None
    except ProgramError:
        raise RefusedFileError('it is a TorchScript program, not a checkpoint.') from None


def _load_safetensors(path: str) -> dict[str, torch.Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError:
        raise RuntimeError('safetensors is not installed; pip install safetensors') from None
    return load_file(path)
