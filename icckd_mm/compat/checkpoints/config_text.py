"""Reads the config that mmengine stores in a checkpoint as text, without running it."""

from __future__ import annotations

import ast
import functools
import io
import keyword
import tokenize
from typing import Any

from mmengine.config import Config

LONGEST = 2_000_000  # characters; 21,000 class names take 600,000
DEEPEST = 100  # brackets
MARKS = frozenset('()[]{}=:,-+;')
NUMBERS = {'inf': float('inf'), 'nan': float('nan')}  # as str() writes them; not Python names
OPENERS = (*'([{=:,-', '')  # tokens allowed before a bracket
BLANK = (tokenize.COMMENT, tokenize.NL)
LAYOUT = (*BLANK, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.NUMBER)


def parse_config_text(text: str) -> Config:
    """The config in ``meta.cfg`` of a checkpoint.

    ``Config.fromstring`` would execute the text, and a checkpoint may be untrusted. mmengine writes assignments of
    literals and of ``dict(key=value)`` calls; nothing else is read.

    Args:
        text: A result of ``Config.pretty_text``.

    Returns:
        The same config.

    Raises:
        ValueError: If the text holds anything else, or is too long or nested too deeply.

    Example:
        >>> parse_config_text("model = dict(type='ImageClassifier', depths=[2, -1])").model.depths
        [2, -1]
    """
    if not isinstance(text, str):
        raise ValueError(f'the config stored in the checkpoint is a {type(text).__name__}, not a text')
    try:
        _check_tokens(text)
        statements = ast.parse(text).body
        return Config({_name(statement): _value(statement.value) for statement in statements})  # type: ignore[attr-defined]
    except UnreadableTextError:
        raise
    except (SyntaxError, tokenize.TokenError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableTextError(f'the config stored in the checkpoint cannot be read: {error}') from None
    except (RecursionError, MemoryError):
        raise UnreadableTextError('the config stored in the checkpoint is nested too deeply') from None


@functools.lru_cache(maxsize=8)  # cached: a run checks its own text with each file that it writes
def check_config_text(text: str) -> None:
    """Raise unless ``parse_config_text`` can read the text.

    Args:
        text: See :func:`parse_config_text`.

    Raises:
        ValueError: See :func:`parse_config_text`.
    """
    parse_config_text(text)


def named_object(config: Any, key: str = '') -> str:
    """What of a config is an object of Python and no literal, for a message: ``'optim_wrapper.dtype is torch.float16'``.

    Args:
        config: A config or a part of it.
        key: Where the part stands.

    Returns:
        The first one; empty if there is none.
    """
    if isinstance(config, (dict, list, tuple, set)):
        items = config.items() if isinstance(config, dict) else enumerate(config)
        return next(filter(None, (named_object(value, f'{key}.{name}'.lstrip('.')) for name, value in items)), '')
    plain = config is None or isinstance(config, (str, bytes, bool, int, float, complex))
    return '' if plain else f'{key} is {config!r:.80}'


class UnreadableTextError(ValueError):
    """A text is not a config of literals; the message names the line."""


def _check_tokens(text: str) -> None:
    """Refuse text that cannot be literals before parsing: deep nesting has crashed some of Python's parsers."""
    if len(text) > LONGEST:
        raise UnreadableTextError(f'the config stored in the checkpoint has {len(text)} characters; at most {LONGEST} are read')
    depth = signs = 0
    before = ''
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        fits = token.type in LAYOUT
        if token.type == tokenize.NAME:
            fits = not keyword.iskeyword(token.string) or token.string in ('True', 'False', 'None')
        elif token.type == tokenize.STRING:
            fits = 'f' not in token.string[: token.string.index(token.string[-1])].lower()
        elif token.type == tokenize.OP:
            fits = token.string in MARKS
            depth += (token.string in '([{') - (token.string in ')]}')
            signs = signs + 1 if token.string in '+-' else 0
            if token.string in '([{':  # no calls or indices, which nest without deep brackets
                fits = before in OPENERS or (token.string == '(' and before in ('dict', 'set'))
        if not fits or depth > DEEPEST or signs > 2:
            raise UnreadableTextError(f'line {token.start[0]} of {_not_literal(token.string)}')
        before = token.string if token.type not in BLANK else before


def _name(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    raise UnreadableTextError(f'line {statement.lineno} of the config stored in the checkpoint is not an assignment to a name')


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values) if key is not None}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        if len(node.args) == 1 and isinstance(node.args[0], ast.Dict) and not node.keywords:
            return _value(node.args[0])  # as mmengine writes keys that are not names
        if not node.args and all(keyword.arg is not None for keyword in node.keywords):
            return {str(keyword.arg): _value(keyword.value) for keyword in node.keywords}
    elif isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    elif isinstance(node, ast.Tuple):
        return tuple(_value(item) for item in node.elts)
    elif isinstance(node, ast.Name) and node.id in NUMBERS:
        return NUMBERS[node.id]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Name):
        return -_value(node.operand)
    else:
        try:
            return ast.literal_eval(node)
        except ValueError:
            pass
    raise UnreadableTextError(f'line {node.lineno} of {_not_literal(ast.unparse(node))}')


def _not_literal(text: str) -> str:
    return f'the config stored in the checkpoint is not a literal: {text[:80]!r}; only values and dict(...) are allowed'
