"""The version of the code that trains and measures; comments and formatting do not change it."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from icckd_mm.version import __version__

PACKAGE = Path(__file__).resolve().parents[2]
TRAINS_NOTHING = ('zoo', 'lab')  # folders that no training run uses ...
MEASURES = ('lab', 'measures')  # ... except this one, which measures it


@lru_cache(maxsize=1)
def code_version() -> str:
    """Version of the package and a hash of the code that determines a run.

    The hash covers paths and syntax trees. Changes of comments, docstrings and formatting keep it; a changed constant, name or
    import does not. Empty fields are left out, so Python versions agree if they only added fields to the tree; they still
    differ if they parse the same text differently (the parts of an f-string in 3.12).
    """
    digest = hashlib.blake2b(digest_size=6)
    for file in sorted(PACKAGE.rglob('*.py')):
        place = file.relative_to(PACKAGE)
        if place.parts[0] not in TRAINS_NOTHING or place.parts[:2] == MEASURES:
            digest.update(repr((place.as_posix(), syntax(file.read_text(encoding='utf-8')))).encode())
    return f'{__version__}+{digest.hexdigest()}'


def syntax(text: str) -> Any:
    """The syntax tree of Python code as nested tuples, without docstrings, positions and empty fields.

    Raises:
        SyntaxError: If ``text`` is not Python code.

    Example:
        >>> syntax('x = 1  # one') == syntax('"A docstring."; x = (1)') != syntax('x = 2')
        True
    """
    return _plain(ast.parse(text))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(one) for one in value if not _is_text(one))
    if not isinstance(value, ast.AST):
        return value
    fields = tuple((name, _plain(field)) for name, field in ast.iter_fields(value) if field not in (None, []))
    return (type(value).__name__, *(field for field in fields if field[1] != ()))


def _is_text(statement: Any) -> bool:
    """Whether a statement is only a string: a docstring, or that of an attribute."""
    return (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    )
