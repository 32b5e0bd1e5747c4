"""Reads the list of methods: how the teacher is trained, and mixes of distillers."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from icckd_mm.compose.distillers import DISTILLERS

TEACHERS = ('icc', 'ce', 'icc-ft', 'mcmi')
FINETUNED = ('icc-ft', 'mcmi')  # they start from a teacher trained with cross-entropy


@dataclass(frozen=True)
class Methods:
    """What is to be composed.

    Attributes:
        teachers: How teachers are trained; the first is the students' teacher.
        students: Names of the distillers of each student, by the name of the mix.
    """

    teachers: tuple[str, ...]
    students: dict[str, list[str]]


def read_methods(text: str) -> Methods:
    """Teachers and students of a list such as ``icc,kd,kd-crd``.

    Args:
        text: Names with commas between them; hyphens join the distillers of one student.

    Returns:
        The methods; without a teacher's method ``icc``, and with the teacher that a fine-tuned one starts from.

    Raises:
        ValueError: If a name is unknown or repeated, or no distiller is named; lists what there is.
    """
    teachers: list[str] = []
    students: dict[str, list[str]] = {}
    for name in (one.strip() for one in text.split(',')):
        if not all(name.split('-')):
            raise ValueError(f'methods {text!r} hold an empty name; write them as icc,kd,kd-crd')
        if name in (*teachers, *students):
            raise ValueError(f'methods name {name!r} twice: {text!r}; name each once')
        if name in TEACHERS:
            teachers.append(name)
        else:
            students[name] = read_mix(name)
    if not students:
        raise ValueError(f'methods need at least one student of {", ".join(sorted(DISTILLERS))}, got {text!r}')
    teachers = teachers or ['icc']
    if 'ce' not in teachers and any(name in FINETUNED for name in teachers):
        teachers.append('ce')
    return Methods(tuple(teachers), students)


def read_mix(name: str) -> list[str]:
    """The distillers of a mix; of names that begin alike the longest counts, as ``dkd-lskd``.

    Args:
        name: Names of distillers with hyphens between them.

    Returns:
        Keys of ``DISTILLERS``.

    Raises:
        ValueError: If a part is not a distiller, or comes twice.
    """
    words, found = name.split('-'), []
    while words:
        fits = [end for end in range(len(words), 0, -1) if '-'.join(words[:end]) in DISTILLERS]
        if not fits:
            raise ValueError(_unknown(name, words[0]))
        found.append('-'.join(words[: fits[0]]))
        words = words[fits[0] :]
    if len(set(found)) < len(found):
        raise ValueError(f'the mix {name!r} names a distiller twice; name each once')
    return found


def _unknown(name: str, word: str) -> str:
    near = difflib.get_close_matches(word, [*DISTILLERS, *TEACHERS], n=1)
    hint = f'did you mean {near[0]}? ' if near else ''
    where = '' if name == word else f' in {name!r}'
    return (
        f'{word!r}{where} is not a method: {hint}Teachers are trained by {", ".join(TEACHERS)}; students by '
        f'{", ".join(sorted(DISTILLERS))}, mixed with hyphens'
    )
