"""``results.jsonl``: one JSON object per run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.nested_text import parse_json
from icckd_mm.regular_file import read_regular

RESULTS, EARLIER = 'results.jsonl', 'earlier.jsonl'
VARYING = ('time', 'machine')  # all other keys do not depend on the time and machine of a run
Record = dict[str, Any]


def read_results(path: str | Path) -> list[Record]:
    """The records of a file.

    Args:
        path: A file of JSON lines; none if it does not exist.

    Returns:
        The records, in the order of the file; an incomplete last line, left by a kill, is skipped.

    Raises:
        ValueError: If another line is not a record, or the path is not a regular file.
    """
    path = Path(path)
    if not path.exists():
        return []
    lines = read_regular(path).split(b'\n')
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records += [parse_record(line)] if line.strip() else []
        except ValueError as error:
            if number == len(lines):  # no newline after it
                continue
            raise ValueError(f'{path}, line {number}, is not a record of a run: {error}; fix or remove the line') from None
    return records


def read_record(path: str | Path) -> Record:
    """The record in the folder of a run.

    Raises:
        OSError: If there is none.
        ValueError: If the file does not hold a record.
    """
    content = read_regular(path)
    try:
        return parse_record(content)
    except ValueError as error:
        raise ValueError(f'{path} is not the record of a run: {error}; remove it to run it again') from None


def parse_record(content: bytes) -> Record:
    """A record from JSON.

    Raises:
        ValueError: Unless it is an object with a name and, if any, an object of times.
    """
    record = parse_json(content)
    if not isinstance(record, dict) or not isinstance(record.get('run'), str):
        raise ValueError('it has no key "run" with a name')
    if not isinstance(record.get('time', {}), dict):
        raise ValueError('its key "time" is not an object')
    return record


def append_result(path: str | Path, record: Record) -> None:
    """Append one line and flush it to the disk; a kill leaves at worst an incomplete last line."""
    with open(path, 'ab') as file:
        file.write(_line(record))
        file.flush()
        os.fsync(file.fileno())


def write_results(path: str | Path, records: Iterable[Record]) -> None:
    """Replace the file by ``records``, sorted by run, the last of each run."""
    unique: Mapping[str, Record] = {record['run']: record for record in records}
    write_atomically(path, b''.join(_line(unique[name]) for name in sorted(unique)))


def without_varying(records: Iterable[Record]) -> list[Record]:
    """The records without what differs between two calls of one plan: times and machine."""
    return [{key: value for key, value in record.items() if key not in VARYING} for record in records]


def _line(record: Record) -> bytes:
    return (json.dumps(record, ensure_ascii=False, allow_nan=False) + '\n').encode()
