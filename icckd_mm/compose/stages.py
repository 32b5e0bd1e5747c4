"""Finds the stem and the ends of the stages of a network in its trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from icckd_mm.compose.trace import Call, Trace

MAX_STAGES = 4  # those of a ResNet; more are found in networks whose stem has a stage of its own


@dataclass(frozen=True)
class Unit:
    """A module whose output is a map or tokens that everything later depends on.

    Attributes:
        call: Its call.
        index: Index of the tensor in its output; None if the output is the tensor.
        shape: ``(C, H, W)``, or ``(N, D)`` for tokens.
        mixes: Whether it mixes places: a convolution larger than 1x1, or layers beside the trunk.
        block: Whether it has layers beside the trunk, as a residual branch.
    """

    call: Call
    index: int | None
    shape: tuple[int, ...]
    mixes: bool
    block: bool

    @property
    def places(self) -> int:
        """Number of places of the map, or of tokens."""
        return self.shape[1] * self.shape[2] if len(self.shape) == 3 else self.shape[0]


def feature_shape(tensor: Tensor) -> tuple[int, ...] | None:
    """Shape of a map ``(C, H, W)`` or of tokens ``(N, D)``; a map with its channels last counts as tokens.

    Args:
        tensor: ``(B, C, H, W)``, ``(B, H, W, C)`` or ``(B, N, D)``, from square images.

    Returns:
        The shape without the batch; None for any other tensor.
    """
    if tensor.ndim == 4:
        first, second, third = tensor.shape[1:]
        return (first * second, third) if first == second != third else (first, second, third)
    return tuple(tensor.shape[1:]) if tensor.ndim == 3 else None


class Units:
    """The modules on the trunk of a network, as a tree."""

    def __init__(self, model: nn.Module, trace: Trace) -> None:
        self.modules = dict(model.named_modules())
        on_trunk: dict[str, tuple[Call, int | None, Tensor]] = {}
        beside = set()
        for call in trace.calls:
            found = trace.on_trunk(call)
            if found is None:
                beside.add(call.name)
            else:
                on_trunk.setdefault(call.name, (call, *found))
        self.order = {name: number for number, name in enumerate(on_trunk)}
        self.beside = {name for name in beside if name not in on_trunk and list(self.modules[name].parameters(recurse=False))}
        self.units = {
            name: Unit(call, index, shape, self._mixes(name), self._block(name))
            for name, (call, index, tensor) in on_trunk.items()
            if (shape := feature_shape(tensor)) is not None
        }

    def children(self, name: str) -> list[Unit]:
        """The units just below a module, in the order of their calls."""
        below = self._below(name, self.modules[name])
        return [self.units[child] for child in sorted(below, key=self.order.__getitem__)]

    def _below(self, name: str, module: nn.Module) -> list[str]:
        found = []
        for key, child in module.named_children():
            full = f'{name}.{key}' if name else key
            if full in self.units:
                found.append(full)
            else:
                found += self._below(full, child)  # a ModuleList, or a model that gives logits
        return found

    def _mixes(self, name: str) -> bool:
        inner = self.modules[name].modules()
        return self._block(name) or any(isinstance(module, _ConvNd) and max(module.kernel_size) > 1 for module in inner)

    def _block(self, name: str) -> bool:
        return any(other.startswith(f'{name}.') for other in self.beside)

    def expanded(self) -> list[Unit]:
        """The units of the whole network, none of which holds more than one stage."""
        units = self._expanded(self.children(''))
        blocks = [unit for unit in units if unit.block]
        below = self._inside(blocks[0]) if len(blocks) == 1 else []
        if not below:
            return units
        where = units.index(blocks[0])
        return [*units[:where], *below, *units[where + 1 :]]

    def _inside(self, unit: Unit) -> list[Unit]:
        """The units of the first module inside that holds at least two blocks; empty if there is none."""
        below = self.children(unit.call.name)
        blocks = [child for child in below if child.block]
        return self._inside(blocks[0]) if len(blocks) == 1 else below if blocks else []

    def _expanded(self, units: list[Unit]) -> list[Unit]:
        found = []
        for unit in units:
            inner = [other for name, other in self.units.items() if name.startswith(f'{unit.call.name}.')]
            finer = any(other.mixes and other.places != unit.places for other in inner)
            found += self._expanded(self.children(unit.call.name)) if finer else [unit]
        return found


def stem(units: list[Unit], modules: dict[str, nn.Module]) -> Unit | None:
    """The first layers up to their activation."""
    return _with_activation(units, 0, modules) if units else None


def stages(units: list[Unit], modules: dict[str, nn.Module]) -> list[Unit]:
    """The last unit of each resolution that mixes places, from the first block on; at most four.

    A network of one resolution, as a vision transformer, gives four of its blocks at equal distances: our choice.

    Args:
        units: Those of ``Units.expanded``.
        modules: Modules of the network by name.

    Returns:
        The ends of the stages, first to last.
    """
    first = next((i for i, unit in enumerate(units) if unit.block), 0)
    ends = {unit.places: i for i, unit in enumerate(units) if unit.mixes and i >= first}
    blocks = [unit for unit in units if unit.block]
    if len(ends) == 1 and len(blocks) >= MAX_STAGES:
        return [blocks[len(blocks) * number // MAX_STAGES - 1] for number in range(1, MAX_STAGES + 1)]
    return [_with_activation(units, i, modules) for i in sorted(ends.values())][-MAX_STAGES:]


def _with_activation(units: list[Unit], i: int, modules: dict[str, nn.Module]) -> Unit:
    """A bare convolution together with the norm and the activation that follow it."""
    if isinstance(modules[units[i].call.name], _ConvNd):
        while i + 1 < len(units) and _follows(units[i], units[i + 1], modules):
            i += 1
    return units[i]


def _follows(unit: Unit, other: Unit, modules: dict[str, nn.Module]) -> bool:
    weighty: Any = (_ConvNd, nn.Linear)
    inner = modules[other.call.name].modules()
    return unit.shape == other.shape and not any(isinstance(module, weighty) for module in inner)
