"""Reads the config that mmengine stores in a checkpoint as text, without running it."""

from __future__ import annotations

import ast
from typing import Any

from mmengine.config import Config


def parse_config_text(text: str) -> Config:
    """The config in ``meta.cfg`` of a checkpoint.

    ``Config.fromstring`` would execute the text, and a checkpoint may come from anybody. mmengine writes assignments of
    literals and of ``dict(key=value)`` calls; nothing else is read.

    Args:
        text (str): What ``Config.pretty_text`` gave.

    Returns:
        Config: The same config.

    Raises:
        ValueError: If the text holds anything but such assignments.

    Example:
        >>> parse_config_text("model = dict(type='ImageClassifier', depths=[2, -1])").model.depths
        [2, -1]
    """
    try:
        statements = ast.parse(text).body
        return Config({_name(statement): _value(statement.value) for statement in statements})  # type: ignore[attr-defined]
    except (SyntaxError, AttributeError, RecursionError) as error:
        raise ValueError(f'the config stored in the checkpoint cannot be read: {error}') from None


def _name(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    raise ValueError(f'line {statement.lineno} of the config stored in the checkpoint is no assignment to a name')


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values) if key is not None}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict' and not node.args:
        if all(keyword.arg is not None for keyword in node.keywords):
            return {str(keyword.arg): _value(keyword.value) for keyword in node.keywords}
    elif isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    elif isinstance(node, ast.Tuple):
        return tuple(_value(item) for item in node.elts)
    else:
        try:
            return ast.literal_eval(node)
        except ValueError:
            pass
    raise ValueError(
        f'line {node.lineno} of the config stored in the checkpoint is no literal: {ast.unparse(node)[:80]!r}; '
        'only values and dict(...) belong there'
    )
