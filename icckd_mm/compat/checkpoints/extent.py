"""Checks that the content of a file is small enough to traverse, copy and write."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterable
from typing import Any

import torch

DEEPEST = 100  # containers within containers; a config with its optimizer state has about 15
SPARE_ITEMS = 100_000
SPARE_BYTES = 64 * 2**20
CONTAINERS = (dict, list, tuple, set, frozenset, deque, slice, argparse.Namespace)


class ContentError(ValueError):
    """Invalid content of a file; the message names position and value, but not the file."""


def check_extent(content: Any) -> None:
    """Raise if traversing the content would take too long or never end.

    A file of 2 KB can hold ``x = (x, x)`` sixty times over: a traversal that ignores object identity takes 2^60 steps.
    It can also hold a tensor of stride 0, which is large and takes no bytes.

    Args:
        content: What was read from a file.

    Raises:
        ContentError: If containers are nested deeper than 100, if shared ones expand to more than twice the items in the file
            (and 100,000), or if tensors are over 64 MiB larger than their storages.
    """
    walk = _Walk()
    items, _ = walk.measure([content], 0)
    if items > 2 * walk.seen + SPARE_ITEMS:
        raise ContentError(f'it repeats {walk.seen} items until they are {items}')
    if walk.excess > SPARE_BYTES:
        raise ContentError(f'its tensors claim {walk.excess} bytes more than it has')


class _Walk:
    def __init__(self) -> None:
        self.measured: dict[int, tuple[int, int]] = {}
        self.seen = self.excess = 0

    def measure(self, value: Any, depth: int) -> tuple[int, int]:
        """Items and levels of ``value``, counting shared containers each time; each is visited once."""
        known = self.measured.get(id(value))
        if known is None:
            if depth > DEEPEST:  # a cycle too
                raise ContentError(f'containers are nested more than {DEEPEST} deep')
            self.seen += 1
            items, levels = 1, 0
            for child in _children(value):
                if isinstance(child, CONTAINERS):
                    more, below = self.measure(child, depth + 1)
                    items, levels = items + more, max(levels, below + 1)
                    continue
                items, self.seen = items + 1, self.seen + 1
                if isinstance(child, torch.Tensor):
                    self._add_tensor(child)
            known = self.measured[id(value)] = items, levels
        if depth + known[1] > DEEPEST:
            raise ContentError(f'containers are nested more than {DEEPEST} deep')
        return known

    def _add_tensor(self, tensor: torch.Tensor) -> None:
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested:
            raise ContentError('it holds a sparse, quantised or nested tensor; keep dense ones')
        size = tensor.numel() * tensor.element_size()
        self.excess += max(0, size - tensor.untyped_storage().nbytes())


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
        yield from getattr(value, '__dict__', {}).values()  # _metadata of a state_dict
    elif isinstance(value, argparse.Namespace):
        yield from vars(value).values()
    elif isinstance(value, slice):
        yield from (value.start, value.stop, value.step)
    else:
        yield from value
