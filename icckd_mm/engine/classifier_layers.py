"""Finds the layers of a classifier that give features and logits, by one forward pass or by name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Callable

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@dataclass
class ClassifierLayers:
    """The layers that give features and logits, and their sizes.

    Attributes:
        features: Module whose output are the features; None: the input of ``linear``.
        linear: The layer that reads the features.
        logits: Module whose output are the logits: ``linear``, or the head if that scales them, as one with a margin does.
        feat_dims: Width ``D`` of the features.
        num_classes: Width ``C`` of the logits.
    """

    features: nn.Module | None
    linear: nn.Module
    logits: nn.Module
    feat_dims: int
    num_classes: int

    def record(self, keep: Callable[[str, Tensor], None]) -> list[RemovableHandle]:
        """Call ``keep('features' | 'logits', tensor)`` in every forward pass.

        Args:
            keep: A plain closure; a bound method would make ``copy.deepcopy`` of the model copy its owner.

        Returns:
            A function that removes the hooks.
        """
        return _record(self.features, self.linear, self.logits, keep)


def find_layers(model: nn.Module, inputs: Tensor, features: str | None, logits: str | None) -> ClassifierLayers:
    """Run ``inputs`` through ``model`` once and find its features and logits.

    Args:
        model: An mmpretrain classifier; not changed (its mode is restored).
        inputs: A preprocessed batch, any number of images.
        features: Name of the module whose output are the features. None: the input of the logits' module.
        logits: Name of the module whose output are the logits. None: the last ``nn.Linear`` called, or the head where it
            changes what that gives, as the scale of ``ArcFaceClsHead`` does: the loss sees the head's.

    Returns:
        The layers and their sizes.

    Raises:
        ValueError: If a name is unknown, if no ``nn.Linear`` is called, or if what is found is not a matrix.
    """
    feature_layer = None if features is None else named_module(model, features, 'features')
    linear = last_linear(model, inputs) if logits is None else named_module(model, logits, 'logits')
    seen, output = _seen(model, inputs, feature_layer, linear, linear)
    head, logits_layer = getattr(model, 'head', None), linear
    if logits is None and isinstance(head, nn.Module) and _differs(output, seen.get('logits')):
        logits_layer = head
        seen, _ = _seen(model, inputs, feature_layer, linear, head)
    for what, given in (('features', features), ('logits', logits)):
        found = seen.get(what)
        if not isinstance(found, Tensor) or found.ndim != 2:
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise ValueError(
                f'{what} must be a matrix (B, D), but {what}={given!r} gives {shape}; name a module after the pooling, '
                'for example neck or head.fc'
            )
    return ClassifierLayers(feature_layer, linear, logits_layer, seen['features'].size(1), seen['logits'].size(1))


def named_module(model: nn.Module, name: str, argument: str) -> nn.Module:
    """The submodule called ``name``.

    Raises:
        ValueError: If there is none; the message lists the nearest names.
    """
    modules = dict(model.named_modules())
    if not name or name not in modules:
        near = difflib.get_close_matches(name, [key for key in modules if key], n=3, cutoff=0.3)
        raise ValueError(
            f'{argument}={name!r} is not a module of {type(model).__name__}; nearest: {", ".join(near) or "none"} '
            '(see model.named_modules())'
        )
    return modules[name]


def last_linear(model: nn.Module, inputs: Tensor) -> nn.Module:
    """The ``nn.Linear`` that the forward pass calls last: the classifier of LinearClsHead, StackedLinear, ViT and VGG.

    Raises:
        ValueError: If none is called, naming the head.
    """
    called: list[nn.Module] = []
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    handles = [module.register_forward_hook(lambda layer, *_: called.append(layer)) for module in linears]
    try:
        _forward(model, inputs)
    finally:
        for handle in handles:
            handle.remove()
    if not called:
        head = type(getattr(model, 'head', None)).__name__
        raise ValueError(
            f'no nn.Linear is called in {type(model).__name__} with head {head}; name the modules that give '
            "logits and features, e.g. logits='head.fc', features='neck'"
        )
    return called[-1]


def last_tensor(value: Any) -> Any:
    """The last of a tuple or list (mmpretrain's multi-stage outputs), or the value itself."""
    return value[-1] if isinstance(value, (tuple, list)) and value else value


def _record(
    features: nn.Module | None, linear: nn.Module, logits: nn.Module, keep: Callable[[str, Any], None]
) -> list[RemovableHandle]:
    def keep_features(_: nn.Module, args: tuple, output: Any) -> None:
        keep('features', last_tensor(args[0] if features is None else output))

    def keep_logits(_: nn.Module, args: tuple, output: Any) -> None:
        keep('logits', last_tensor(output))

    source = linear if features is None else features
    return [source.register_forward_hook(keep_features), logits.register_forward_hook(keep_logits)]


def _seen(
    model: nn.Module, inputs: Tensor, features: nn.Module | None, linear: nn.Module, logits: nn.Module
) -> tuple[dict[str, Any], Any]:
    """What is recorded in one pass, and what the model gives."""
    seen: dict[str, Any] = {}
    handles = _record(features, linear, logits, seen.__setitem__)
    try:
        return seen, _forward(model, inputs)
    finally:
        for handle in handles:
            handle.remove()


def _differs(output: Any, logits: Any) -> bool:
    """Whether a classifier gives other numbers than its last linear layer."""
    output = last_tensor(output)
    tensors = isinstance(output, Tensor) and isinstance(logits, Tensor)
    return tensors and output.ndim == logits.ndim and not torch.equal(output, logits)


def _forward(model: nn.Module, inputs: Tensor) -> Any:
    """What one forward pass gives that leaves no trace."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            return model(inputs, mode='tensor')
    finally:
        for module, mode in training.items():
            module.training = mode


def takes_several_labels(model: nn.Module) -> bool:
    """Whether the head of a classifier gives each class a probability of its own (multi-label data, or a sigmoid loss)."""
    head = getattr(model, 'head', None)
    return 'MultiLabel' in type(head).__name__ or bool(getattr(getattr(head, 'loss_module', None), 'use_sigmoid', False))
