"""Finds what distillers can read of a classifier, by running one batch through it."""

from __future__ import annotations

import copy
from typing import Any

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from icckd_mm.compose.layers import Layer, NetworkLayers, Stage
from icckd_mm.compose.stages import Unit, Units, feature_shape, stages, stem
from icckd_mm.compose.trace import Call, Node, Trace, trace
from icckd_mm.engine.classifier_layers import find_layers, last_tensor

RELUS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU)
POOLINGS = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AvgPool2d)
RESHAPES = ('View', 'UnsafeView', 'Reshape', 'Transpose', 'Permute', 'Clone', 'ChannelShuffle', 'NativeChannelShuffle')


def inspect_network(classifier: nn.Module, images: Tensor) -> NetworkLayers:
    """The layers of a classifier that distillers compare.

    A backbone may name its stages in ``distilled_stages``; otherwise a stage ends at the last layer of a resolution that mixes
    places.

    Args:
        classifier: An mmpretrain classifier; a copy of it is run.
        images: A preprocessed batch ``(B, 3, H, W)`` of square images.

    Returns:
        The layers with their shapes.

    Raises:
        ValueError: If no linear layer gives the logits, or several together; names what to do.
    """
    model = copy.deepcopy(classifier).eval()
    for module in model.modules():
        if hasattr(module, 'inplace'):
            vars(module)['inplace'] = False
    found = find_layers(model, images, None, None)
    names = {module: name for name, module in model.named_modules()}
    traced = trace(model, images)
    last = {call.name: call for call in traced.calls}
    linear = last[names[found.linear]]
    if not torch.equal(last[names[found.logits]].output, last_tensor(last[''].output)):
        raise ValueError(
            f'{type(model).__name__} gives other logits than its layer {names[found.logits]!r}, such as the mean of two heads; '
            'take a network with one head'
        )
    units = Units(model, traced)
    expanded = units.expanded()
    declared = getattr(getattr(model, 'backbone', None), 'distilled_stages', None)
    ends = [units.units[f'backbone.{name}'] for name in declared] if declared else stages(expanded, units.modules)
    first = stem(expanded, units.modules)
    return NetworkLayers(
        logits=Layer(names[found.logits], False, (found.num_classes,)),
        pooled=Layer(linear.name, True, (found.feat_dims,), data_idx=0, record_idx=linear.index),
        last_map=_last_map(model, traced, linear.inputs[0]),
        stem=None if first is None else _layer(first),
        stages=tuple(_stage(unit, traced, units.modules) for unit in ends),
        loss_labels=_loss_labels(model, images, found.num_classes),
    )


def _layer(unit: Unit) -> Layer:
    return Layer(unit.call.name, False, unit.shape, data_idx=unit.index, record_idx=unit.call.index)


def _stage(unit: Unit, traced: Trace, modules: dict[str, nn.Module]) -> Stage:
    """The end of a stage with the map before its ReLU, or, where the ReLU comes after the next norm, that norm's output."""
    outputs = {node: call for call in reversed(traced.calls) for node in call.nodes.values()}
    relus, norms = _calls_of(traced, modules, RELUS), _calls_of(traced, modules, (_BatchNorm,))
    node = unit.call.nodes[unit.index]
    while node not in relus and any(node.name().startswith(name) for name in RESHAPES):
        node = node.next_functions[0][0]
    if node in relus:
        relu = relus[node]
        before = relu.inputs[0].grad_fn
        layer = _before(relu, outputs.get(before), traced)
        return Stage(_layer(unit), layer, _norm(before, norms, layer.shape[0], modules))
    where = traced.trunk.index(unit.call.nodes[unit.index])
    following = traced.trunk[where + 1 : where + 3]
    if len(following) == 2 and following[0] in norms and following[1] in relus:
        norm = norms[following[0]]
        return Stage(_layer(unit), Layer(norm.name, False, unit.shape), norm.name)
    return Stage(_layer(unit))


def _calls_of(traced: Trace, modules: dict[str, nn.Module], kinds: tuple[type, ...]) -> dict[Node, Call]:
    """The calls of modules of some kinds, by the node of what they returned."""
    calls = [call for call in traced.calls if isinstance(modules[call.name], kinds)]
    return {call.nodes[None]: call for call in calls if None in call.nodes}


def _before(relu: Call, source: Call | None, traced: Trace) -> Layer:
    """The input of a ReLU: as output of the module that made it if there is one, since that needs no index."""
    shape = tuple(relu.inputs[0].shape[1:])
    if source is not None and None in source.nodes and sum(call.name == source.name for call in traced.calls) == 1:
        return Layer(source.name, False, shape)
    return Layer(relu.name, True, shape, data_idx=0, record_idx=relu.index)


def _norm(node: Node, norms: dict[Node, Call], width: int, modules: dict[str, nn.Module]) -> str | None:
    """Name of the batch norm that is a tensor, or the first of its summands."""
    for candidate in (node, *(following for following, _ in node.next_functions)):
        name = norms[candidate].name if candidate in norms else None
        if name is not None and modules[name].num_features == width:
            return name
    return None


def _last_map(model: nn.Module, traced: Trace, pooled: Tensor) -> Layer | None:
    """What the pooling reads; None where the classifier reads a class token."""
    modules = dict(model.named_modules())
    for call in reversed(traced.calls):
        value = call.inputs[0] if call.inputs else None
        shape = feature_shape(value) if isinstance(value, Tensor) else None
        if isinstance(modules[call.name], POOLINGS) and shape is not None and traced.on_trunk(call) is not None:
            return Layer(call.name, True, shape, data_idx=0, record_idx=call.index)
    for call in reversed(traced.calls):
        index, value = traced.on_trunk(call) or (None, None)
        shape = None if value is None else feature_shape(value)
        if value is None or shape is None or shape[1:] == (1, 1):
            continue
        if value.ndim == 3 and _reads_one_token(pooled, value):
            return None
        return Layer(call.name, False, shape, data_idx=index, record_idx=call.index)
    return None


def _reads_one_token(pooled: Tensor, tokens: Tensor) -> bool:
    (gradient,) = torch.autograd.grad(pooled.square().sum(), tokens, retain_graph=True, allow_unused=True)
    return gradient is not None and int((gradient.abs().sum(dim=(0, 2)) > 0).sum()) == 1


def _loss_labels(model: nn.Module, images: Tensor, num_classes: int) -> Layer | None:
    """Where a loss of the head reads the labels as a positional argument."""
    labels = torch.arange(len(images)) % num_classes
    found: list[Layer] = []

    def keep_of(name: str) -> Any:
        def keep(_: nn.Module, inputs: tuple) -> None:
            for index, value in enumerate(inputs):
                if isinstance(value, Tensor) and value.shape == labels.shape and torch.equal(value.cpu(), labels):
                    found.append(Layer(name, True, (), data_idx=index))

        return keep

    handles = [module.register_forward_pre_hook(keep_of(name)) for name, module in model.named_modules()]
    samples = [DataSample().set_gt_label(int(label)) for label in labels]
    try:
        with torch.no_grad():
            model(images, [sample.to(images.device) for sample in samples], mode='loss')
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None
