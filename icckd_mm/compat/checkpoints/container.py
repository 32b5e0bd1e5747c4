"""Opens the two containers of ``torch.save`` in plain Python and fills every storage from the file.

A zip file (torch 1.6 and newer) holds one pickle and a record for each storage, all of them uncompressed. A legacy file holds
four pickles (a magic number, a version, the system, the content), the list of the storages, and their bytes.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any, BinaryIO, Callable

import torch

from icckd_mm.compat.checkpoints.unpickler import Unpickler
from icckd_mm.compat.checkpoints.values import instance

MAGIC = 0x1950A86A20F9469CFC6C  # the first two pickles of a legacy file
VERSION = 1001
CHUNK = 2**24

Restore = Callable[[torch.UntypedStorage, str], torch.UntypedStorage]


class ProgramError(Exception):
    """Raised for a TorchScript program."""


def read_zip(file: BinaryIO, size: int, restore: Restore) -> Any:
    """The content of a zip file.

    Args:
        file: Stream of the whole file.
        size: Its size in bytes.
        restore: Moves a storage to the device that the file names.

    Raises:
        ProgramError: If it is a TorchScript program.
        Exception: If it is damaged or forged; of many types.
    """
    with zipfile.ZipFile(file) as archive:
        records = _records(archive, size)
        swapped = 'byteorder' in records and archive.read(records['byteorder']) == b'big'

        def load_storage(key: str, kind: torch.dtype, count: int, location: str) -> torch.UntypedStorage:
            record = records[f'data/{key}']
            if record.file_size != count:
                raise pickle.UnpicklingError(f'storage {key[:40]!r} has {record.file_size} bytes, not {count}')
            storage = torch.UntypedStorage(count)
            with archive.open(record) as content:
                _fill(storage, content)
            if swapped:
                storage.byteswap(kind)
            return restore(storage, location)

        return Unpickler(io.BytesIO(archive.read(records['data.pkl'])), size, load_storage).load()


def _records(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The records in the file's one folder by name; compressed records are refused."""
    entries = archive.infolist()
    folder = entries[0].filename.split('/')[0] + '/'
    records = {entry.filename[len(folder) :]: entry for entry in entries if entry.filename.startswith(folder)}
    if 'constants.pkl' in records:
        raise ProgramError
    if len({entry.filename for entry in entries}) != len(entries):
        raise zipfile.BadZipFile('two records have the same name')
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries) or sum(entry.file_size for entry in entries) > size:
        raise zipfile.BadZipFile('records are compressed or overlap; torch.save writes neither')
    return records


def _fill(storage: torch.UntypedStorage, content: Any) -> None:
    """Reads all bytes of a storage; otherwise it would expose uninitialised memory."""
    view = torch.empty(0, dtype=torch.uint8).set_(storage).numpy()
    done = 0
    while done < len(view):
        part = content.read(min(CHUNK, len(view) - done))
        if not part:
            raise EOFError(f'the file ends within a storage of {len(view)} bytes')
        view[done : done + len(part)] = bytearray(part)
        done += len(part)
    content.read(1 if isinstance(content, zipfile.ZipExtFile) else 0)  # the end of a record compares its checksum


def read_legacy(file: BinaryIO, size: int, restore: Restore) -> Any:
    """The content of a file in the format before torch 1.6; arguments and errors as :func:`read_zip`."""
    reserved: dict[str, tuple[torch.UntypedStorage, torch.UntypedStorage, int]] = {}
    total = 0

    def reserve(key: str, kind: torch.dtype, count: int, location: str) -> torch.UntypedStorage:
        nonlocal total
        total += count
        if total > size:
            raise pickle.UnpicklingError(f'storages of more than the {size} bytes of the file')
        cpu = torch.UntypedStorage(count)
        reserved[key] = cpu, restore(cpu, location), kind.itemsize
        return reserved[key][1]

    for name, wanted in (('magic number', MAGIC), ('version', VERSION)):
        found = Unpickler(file, size).load()
        if type(found) is not int or found != wanted:
            raise pickle.UnpicklingError(f'not the {name} of a checkpoint')
    Unpickler(file, size).load()  # sizes of C types on the machine that wrote the file
    content = Unpickler(file, size, reserve).load()
    keys = instance(Unpickler(file, size).load(), list)
    if len(keys) != len(reserved):
        raise pickle.UnpicklingError(f'{len(reserved)} storages, of which the file lists {len(keys)}')
    for key in keys:
        cpu, place, width = reserved.pop(instance(key, str))
        if int.from_bytes(file.read(8), 'little') * width != cpu.nbytes():
            raise pickle.UnpicklingError(f'storage {key[:40]!r} has two sizes')
        _fill(cpu, file)
        if place is not cpu:
            place.copy_(cpu)
    return content
