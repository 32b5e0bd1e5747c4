"""What the modules of a network pass on in one batch, and which of these tensors everything later depends on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

Node = Any  # a node of autograd's graph has no public type


@dataclass(frozen=True)
class Call:
    """One call of a module.

    Attributes:
        name: Name of the module.
        index: How many times it was called before.
        inputs: Its positional arguments.
        output: What it returned.
        nodes: Autograd's nodes of the tensors in ``output`` when it was returned, by index; None is the output itself.
    """

    name: str
    index: int
    inputs: tuple[Any, ...]
    output: Any
    nodes: dict[int | None, Node]


@dataclass
class Trace:
    """The calls of one forward pass, in the order in which they ended.

    Attributes:
        calls: All of them.
        trunk: Autograd's nodes that every path from the images to the logits passes, from the images on.
    """

    calls: list[Call] = field(default_factory=list)
    trunk: list[Node] = field(default_factory=list)

    @cached_property
    def _on_trunk(self) -> set[Node]:
        return set(self.trunk)

    def on_trunk(self, call: Call) -> tuple[int | None, Tensor] | None:
        """Index and tensor of a call's output that lies on the trunk; None if there is none."""
        for index, node in call.nodes.items():
            if node in self._on_trunk:
                return index, call.output if index is None else call.output[index]
        return None


def trace(model: nn.Module, images: Tensor) -> Trace:
    """Run a batch through a network and record its calls.

    Args:
        model: A classifier in evaluation mode, without in-place layers.
        images: A preprocessed batch ``(B, 3, H, W)``.

    Returns:
        The calls and the trunk. The trunk is empty if the logits do not depend on the images through autograd.
    """
    found, counts = Trace(), Counter[str]()

    def keep(name: str, inputs: tuple, output: Any) -> None:
        found.calls.append(Call(name, counts[name], inputs, output, _nodes(output)))
        counts[name] += 1

    def hook_of(name: str) -> Any:
        return lambda _, inputs, output: keep(name, inputs, output)

    handles = [module.register_forward_hook(hook_of(name)) for name, module in model.named_modules()]
    images = images.detach().clone().requires_grad_()
    try:
        with torch.enable_grad():
            start = images.view_as(images)  # a node that marks the images
            logits = model(start, mode='tensor')
    finally:
        for handle in handles:
            handle.remove()
    logits = logits[-1] if isinstance(logits, (tuple, list)) else logits
    if isinstance(logits, Tensor) and logits.grad_fn is not None:
        found.trunk = cuts(logits.grad_fn, start.grad_fn)
    return found


def _nodes(output: Any) -> dict[int | None, Node]:
    if isinstance(output, Tensor):
        return {None: output.grad_fn} if output.grad_fn is not None else {}
    if isinstance(output, (tuple, list)):
        return {i: value.grad_fn for i, value in enumerate(output) if isinstance(value, Tensor) and value.grad_fn is not None}
    return {}


def cuts(end: Node, start: Node) -> list[Node]:
    """The nodes that every path from ``end`` back to ``start`` passes.

    Args:
        end: Node of the logits.
        start: Node of the images.

    Returns:
        The nodes in the order of the forward pass; empty if there is no path.
    """
    reaching = _reaching(end, start)
    incoming = Counter(following for node in reaching for following in _following(node) if following in reaching)
    left, found, ready, open_edges = Counter(incoming), [], [end] if end in reaching else [], 0
    while ready:
        node = ready.pop()
        open_edges -= incoming[node]
        if not ready and not open_edges:
            found.append(node)
        for following in _following(node):
            if following in reaching:
                open_edges += 1
                left[following] -= 1
                if not left[following]:
                    ready.append(following)
    return found[::-1]


def _following(node: Node) -> list[Node]:
    return [following for following, _ in node.next_functions if following is not None]


def _reaching(end: Node, start: Node) -> set[Node]:
    """The nodes from ``end`` on from which ``start`` can be reached; without recursion, since networks are deep."""
    reaching, seen, stack = {start}, {start}, [(end, False)]
    while stack:
        node, finished = stack.pop()
        if finished:
            if any(following in reaching for following in _following(node)):
                reaching.add(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((following, False) for following in _following(node))
    return reaching
