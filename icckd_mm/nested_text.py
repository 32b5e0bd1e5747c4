"""JSON and YAML from files, which may be nested without end.

Python's parsers end in a ``RecursionError`` there, and crash the interpreter once a package has raised the limit of recursion.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 100
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
TOO_DEEP = 'it is nested too deeply'


def parse_json(content: str | bytes) -> Any:
    """What ``json.loads`` gives.

    Args:
        content: The text; bytes are UTF-8.

    Raises:
        ValueError: If it is not JSON, or nested more than 100 deep.

    Example:
        >>> parse_json(b'{"a": [1]}')
        {'a': [1]}
        >>> parse_json('[' * 101)
        Traceback (most recent call last):
        ValueError: it is nested too deeply
    """
    text = content if isinstance(content, str) else content.decode('utf-8')
    if text.count('[') + text.count('{') > DEEPEST:
        depth = 0
        for bracket in re.findall(r'[][{}]', STRINGS.sub('', text)):
            depth += 1 if bracket in '[{' else -1
            if depth > DEEPEST:
                raise ValueError(TOO_DEEP)
    return json.loads(text)


def parse_yaml(text: str) -> Any:
    """What ``yaml.safe_load`` gives.

    Raises:
        yaml.YAMLError: If it is not YAML.
        ValueError: If it is nested more than 100 deep.
    """
    import yaml  # heavy

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(TOO_DEEP)
    return yaml.safe_load(text)
