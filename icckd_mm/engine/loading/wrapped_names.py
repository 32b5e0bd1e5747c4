"""Names of weights without what wrappers put before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PARALLEL, COMPILED = 'module.', '_orig_mod.'


def without_wrappers(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """Weights under the names of the network itself.

    ``DataParallel`` and ``DistributedDataParallel`` put ``module.`` before every name, ``torch.compile`` puts ``_orig_mod.``
    before the names of what it compiled. ``module.`` stays where only some names have it, since a network may have such a part.

    Args:
        state: Weights by name.

    Returns:
        The same values in the same order; the same names if no wrapper was around the network, or if two would become one.

    Example:
        >>> without_wrappers({'module._orig_mod.head.fc.bias': 0, 'module.backbone._orig_mod.bn.weight': 1})
        {'head.fc.bias': 0, 'backbone.bn.weight': 1}
    """
    if not all(isinstance(name, str) for name in state):
        return dict(state)
    names = {name: name.replace(COMPILED, '') for name in state}
    while names and all(name.startswith(PARALLEL) for name in names.values()):
        names = {given: name[len(PARALLEL) :] for given, name in names.items()}
    if len(set(names.values())) < len(names):
        return dict(state)
    return {names[name]: value for name, value in state.items()}
