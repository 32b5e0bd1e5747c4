"""Finds the keyword arguments of a class or function from its source."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

from torch import nn

# these take **kwargs only to refuse whatever is in it
ENDS = (object, nn.Module)


class Arguments(NamedTuple):
    """The arguments of a class or function.

    Attributes:
        names: The keyword arguments that are known.
        complete: Whether there are no others; False if, for example, ``**kwargs`` is stored.
    """

    names: frozenset[str]
    complete: bool


@functools.cache
def arguments_of(target: Callable) -> Arguments:
    """The keyword arguments of ``target``; those that a class passes on with ``super().__init__(**kwargs)`` count too.

    Args:
        target: A class or a function.

    Returns:
        Their names, and whether these are all.

    Example:
        >>> names, complete = arguments_of(torch.nn.CrossEntropyLoss)
        >>> sorted(names), complete
        (['ignore_index', 'label_smoothing', 'reduce', 'reduction', 'size_average', 'weight'], True)
    """
    if not inspect.isclass(target):
        names, rest = _parameters(target)
        return Arguments(names, rest is None)
    found: frozenset[str] = frozenset()
    complete = True
    for parent in target.__mro__:
        init = vars(parent).get('__init__')
        if parent in ENDS or init is None:
            complete &= parent in ENDS or '__new__' not in vars(parent)
            if parent in ENDS:
                break
            continue
        names, rest = _parameters(init)
        found |= names
        complete &= not hasattr(init, '__wrapped__')  # a decorator may rename arguments
        if rest is None:
            break
        taken, handed_up = _use_of(init, rest)
        found |= taken
        complete &= handed_up
    return Arguments(found, complete)


def _parameters(function: Callable) -> tuple[frozenset[str], str | None]:
    """The keyword arguments, and the name of ``**kwargs``; without a signature all are accepted."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset(), 'kwargs'
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = frozenset(one.name for one in parameters if one.kind in by_name and one.name != 'self')
    return names, next((one.name for one in parameters if one.kind is inspect.Parameter.VAR_KEYWORD), None)


def _use_of(init: Callable, rest: str) -> tuple[frozenset[str], bool]:
    """Keys that ``__init__`` reads from ``**kwargs``, and whether the rest goes to ``super().__init__`` only."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except (OSError, TypeError, SyntaxError):
        return frozenset(), False
    names, understood, handed_up = set(), 0, False
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if _is_super_init(node.func) and any(word.arg is None and _is_name(word.value, rest) for word in node.keywords):
            understood, handed_up = understood + 1, True
        if _takes_from(node.func, rest) and node.args and isinstance(node.args[0], ast.Constant):
            understood += 1
            names.add(str(node.args[0].value))
    uses = sum(_is_name(node, rest) for node in ast.walk(tree))
    return frozenset(names), handed_up and uses == understood


def _is_name(node: Any, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _takes_from(node: ast.expr, owner: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ('pop', 'get', 'setdefault') and _is_name(node.value, owner)


def _is_super_init(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == '__init__'
        and isinstance(node.value, ast.Call)
        and _is_name(node.value.func, 'super')
    )
