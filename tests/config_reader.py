"""Reads the repository's configs fast: each base once, and without mmengine's checks of every file."""

import ast
import copy
import functools
from pathlib import Path

from mmengine.config import Config, ConfigDict


@functools.cache
def _code(path):
    """The compiled file, and the names of its bases."""
    text = path.read_text(encoding='utf-8')
    tree = ast.parse(text)
    heads = [node for node in tree.body if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == '_base_']
    bases = [ast.literal_eval(node.value) for node in heads]
    tree.body = [node for node in tree.body if node not in heads]
    names = [] if not bases else [bases[0]] if isinstance(bases[0], str) else bases[0]
    return compile(tree, str(path), 'exec'), [(path.parent / name).resolve() for name in names]


@functools.cache
def _read(path):
    code, bases = _code(path)
    below = ConfigDict()
    for base in bases:
        below.update(copy.deepcopy(_read(base)))
    own = {'_base_': below}
    exec(code, {}, own)
    del own['_base_']
    return ConfigDict(Config._merge_a_into_b(copy.deepcopy(own), below))


def read_config(path):
    """The config of a file, equal to ``Config.fromfile(path)`` but a plain dict with attributes, to be left unchanged.

    Args:
        path: A file below ``configs``.

    Returns:
        Its content.
    """
    return _read(Path(path).resolve())
