"""Loading a checkpoint with mmengine fails on torch >= 2.6 and may run code on older versions.

Applies: always. It is the one patch outside mmrazor that changes more than an error: a file that could run code is refused.
Changes: ``mmengine.runner.checkpoint`` reads every file with ``load_checkpoint_safely``: resume, ``load_from``,
``teacher_ckpt``, ``init_cfg=dict(type='Pretrained')``, ``CheckpointHook(published_keys=…)``, ``get_model``, from every scheme
of mmengine (local, http, pavi, s3, torchvision, openmmlab, mmcls), but not from schemes that others register.
Upstream: mmengine issue #1655 and PR #1650, open.

Container and pickle are read by our own code on every version of torch: ``torch.load(weights_only=True)`` of 2.11 crashes on
a key of nested tuples, hangs on equal hashes, and exposes other memory for a legacy file without data. Below torch 2.10 it
also corrupts memory (GHSA-63cw-57p8-fm3p).
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
    """Gives mmengine's checkpoint module a ``torch`` that loads safely."""
    on_import('mmengine.runner.checkpoint', after=_patch)


def _patch(module: ModuleType) -> None:
    if not isinstance(module.torch, SafeTorch):
        module.__dict__['torch'] = SafeTorch('torch')
        logging.getLogger('icckd_mm.compat').debug('checkpoints are loaded safely')


class SafeTorch(ModuleType):
    """The module ``torch`` as mmengine's loaders see it: every name except ``load`` is torch's own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(source: Source, map_location: Any = None, **options: Any) -> Any:
        """``load_checkpoint_safely``, whatever the options.

        Raises:
            ValueError: If the file does not hold a dict, in which mmengine would look up keys.
        """
        checkpoint = load_checkpoint_safely(source, map_location)
        if not isinstance(checkpoint, dict):
            name = source if isinstance(source, str) else 'the file'
            raise ValueError(f'{name} is not a checkpoint: it holds a {type(checkpoint).__name__} instead of a dict of weights')
        return checkpoint


def load_checkpoint_safely(source: Source, map_location: Any = None) -> Any:
    """Load a checkpoint like ``torch.load``, but never run code from the file.

    A ``defaultdict`` becomes a dict, a ``deque`` a list.

    Args:
        source: A file written by ``torch.save``, or its content as a stream; ``~`` is the home folder. A name that ends in
            ``.safetensors`` gives a dict of tensors on the CPU, if safetensors is installed.
        map_location: As for ``torch.load``.

    Returns:
        The content, usually a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        pickle.UnpicklingError: If it asks for a class or function that is not allowed in a checkpoint.
        ValueError: If it is damaged, not a checkpoint at all, or refused by :mod:`icckd_mm.compat.checkpoints.gate`.
        RuntimeError: If torch cannot rebuild the content, for instance on a missing device.
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
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: the file names an offset before its start
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
    """The message of an error on one line, without control characters that a file may have put into it."""
    return ''.join(letter if letter.isprintable() else ' ' for letter in str(error)[:700])


class RefusedFileError(Exception):
    """Raised if a file could run code; the message says how."""


def _load(source: str | BinaryIO, map_location: Any) -> Any:
    if not isinstance(source, str):
        return _read(source, map_location)
    if source.endswith('.safetensors'):
        return _load_safetensors(source)
    with open(source, 'rb') as file:
        return _read(file, map_location)


def _read(file: BinaryIO, map_location: Any) -> Any:
    """The content of a zip file or legacy file, distinguished by its first bytes."""
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
