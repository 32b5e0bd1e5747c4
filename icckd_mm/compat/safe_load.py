"""Loading a checkpoint with mmengine fails on torch >= 2.6 and may run code on older versions.

Applies: always. It is the one mend outside mmrazor that changes more than an error: a file that could run code is refused.
Changes: whatever ``mmengine.runner.checkpoint`` reads comes from ``load_checkpoint_safely``: resume, ``load_from``,
``teacher_ckpt``, ``init_cfg=dict(type='Pretrained')``, ``CheckpointHook(published_keys=…)``, ``get_model``, from every scheme
that mmengine brings (local, http, pavi, s3, torchvision, openmmlab, mmcls). A scheme that somebody registers is theirs.
Upstream: mmengine issue #1655 and PR #1650, open.

``torch.load(weights_only=True)`` has no part in it: up to torch 2.9 a file can corrupt memory with it (GHSA-63cw-57p8-fm3p),
and in any version a key of deeply nested tuples ends the interpreter.
"""

from __future__ import annotations

import logging
import os
import os.path as osp
import pickle
import tarfile
from types import ModuleType, SimpleNamespace
from typing import Any, BinaryIO, Union

import torch

from .import_hook import on_import

Source = Union[str, os.PathLike, BinaryIO]
TORCH_CHECKS_SIZES = tuple(map(int, torch.__version__.split('.')[:2])) >= (2, 10)
ADVICE = (
    'If you trust its source, load it once with torch.load(..., weights_only=False), keep tensors, numbers, strings and plain '
    "containers (such as 'state_dict' and 'meta'), write them with torch.save and use the new file."
)
REPAIR = 'Take a file whose source you trust, or write its weights alone with torch.save and use that file.'


def install() -> None:
    """Gives mmengine's module of loaders a torch that loads safely."""
    on_import('mmengine.runner.checkpoint', after=_mend)


def _mend(module: ModuleType) -> None:
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
            raise ValueError(f'{name} is no checkpoint: it holds a {type(checkpoint).__name__} instead of a dict of weights')
        return checkpoint


def load_checkpoint_safely(source: Source, map_location: Any = None) -> Any:
    """What ``torch.load`` gives for a checkpoint, without ever running code from the file.

    Args:
        source (str | os.PathLike | BinaryIO): A file written by ``torch.save``, or its content as a stream; ``~`` is the home
            folder. A name that ends in ``.safetensors`` gives a dict of tensors on the CPU, if safetensors is installed.
        map_location (Any): As for ``torch.load``.

    Returns:
        Any: The content, in general a dict.

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
        raise pickle.UnpicklingError(f'{name} was not loaded: {error}') from None
    except RuntimeError as error:
        raise RuntimeError(f'{name} could not be loaded: {error}') from error
    except OSError:
        raise
    except Exception as error:
        size = f' ({osp.getsize(name)} bytes)' if isinstance(source, str) else ''
        raise ValueError(
            f'{name}{size} is damaged or no checkpoint of PyTorch ({type(error).__name__}: {str(error)[:500]}). '
            'Copy or download it again, or take an older one.'
        ) from error
    from .checkpoint_gate import ContentError, check_content  # imports mmengine

    try:
        check_content(content)
    except ContentError as error:
        raise ValueError(f'{name} was not loaded: {error}. {REPAIR}') from None
    return content


class RefusedFileError(Exception):
    """A file could run code; the message says how."""


def _load(source: str | BinaryIO, map_location: Any) -> Any:
    if isinstance(source, str) and source.endswith('.safetensors'):
        return _load_safetensors(source)
    from . import safe_unpickler  # imports mmengine

    unpickler = type('Unpickler', (safe_unpickler.Unpickler,), {'record_size': _check_format(source)})
    reader = SimpleNamespace(Unpickler=unpickler, load=safe_unpickler.load, __name__='safe_unpickler')
    try:
        return torch.load(_begin(source), map_location=map_location, pickle_module=reader, weights_only=False)
    except safe_unpickler.RefusedGlobalError as error:
        raise RefusedFileError(f'it asks for {error}, which could run code. {ADVICE}') from None


def _check_format(source: str | BinaryIO) -> Any:
    """How to get the size of a storage in the file, where torch does not compare it; errors for programs and archives."""
    if isinstance(source, str):
        with open(source, 'rb') as file:
            magic = file.read(4)
    else:
        magic = _begin(source).read(4)
    if magic == b'PK\x03\x04':  # torch's own reader: another one could see other records in a forged file
        try:
            reader = torch._C.PyTorchFileReader(_begin(source))
        except RuntimeError as error:
            raise ValueError(str(error).split('\n')[0]) from None
        if 'constants.pkl' in reader.get_all_records():
            raise RefusedFileError('it is a TorchScript program, not a checkpoint.')
        return None if TORCH_CHECKS_SIZES else staticmethod(lambda key: len(reader.get_record(f'data/{key}')))
    if tarfile.is_tarfile(_begin(source)):
        raise RefusedFileError(f'it is a tar file, as torch wrote them before 0.1.10. {ADVICE}')
    return None


def _begin(source: Any) -> Any:
    if not isinstance(source, str):
        source.seek(0)
    return source


def _load_safetensors(path: str) -> dict[str, torch.Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError:
        raise RuntimeError('safetensors is not installed; pip install safetensors') from None
    return load_file(path)
