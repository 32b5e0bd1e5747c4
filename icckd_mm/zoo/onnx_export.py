"""Exports a classifier to ONNX for onnxruntime, with or without its preprocessing."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.utils import digit_version
from torch import Tensor, nn

from icckd_mm.plain_text import plain

OPSET = 18
PACKAGES = ('onnx', 'onnxscript', 'onnxruntime')
COLOUR = re.compile(r'\x1b\[[0-9;]*[A-Za-z]')
INPUT, OUTPUT = 'images', 'logits'


def check_packages() -> None:
    """Check that a graph can be written and run.

    Raises:
        ValueError: If a package is missing, or if torch is too old.
    """
    missing = []
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    if missing:
        raise ValueError(f"the format onnx needs {', '.join(missing)}: pip install 'icckd_mm[export]'")
    if digit_version(torch.__version__) < digit_version('2.6.0'):
        raise ValueError(f'the format onnx needs torch 2.6 or newer, this is {torch.__version__}')


class Logits(nn.Module):
    """The module whose graph is exported.

    Args:
        model: An mmpretrain classifier.
        with_preprocess: Whether the input are images of the data set, uint8, without preprocessing.
    """

    def __init__(self, model: Any, with_preprocess: bool) -> None:
        super().__init__()
        self.model, self.with_preprocess = model, with_preprocess

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(B, C)`` of images, a tensor of four dimensions."""
        if self.with_preprocess:
            preprocessor: Any = self.model.data_preprocessor
            images = preprocessor({'inputs': images})['inputs']
        return self.model(images)


def onnx_bytes(model: nn.Module, shape: Sequence[int], with_preprocess: bool = False) -> bytes:
    """The graph of a classifier: input ``images``, output ``logits``, any batch size, opset 18.

    Args:
        model: An mmpretrain classifier in evaluation mode.
        shape: Channels, height and width of the images, fixed in the graph.
        with_preprocess: Whether colour order, mean and std are part of the graph. Then ``images`` is uint8
            ``(B, C, H, W)`` in the colour order of the data set, else preprocessed float32. Defaults to
            False.

    Returns:
        The file; the same model gives the same bytes.

    Raises:
        ValueError: If a package is missing, or if PyTorch cannot export the network.
    """
    check_packages()
    example = torch.zeros((2, *shape), dtype=torch.uint8 if with_preprocess else torch.float32)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # warnings of the exporter about itself
            program: Any = torch.onnx.export(
                Logits(model, with_preprocess).eval(),
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes={INPUT: {0: torch.export.Dim('batch')}},
                verbose=False,
            )
    except Exception as error:  # the exporter raises many types
        raise ValueError(
            f'PyTorch cannot export this network to ONNX; leave onnx out of the formats: {without_codes(error)}'
        ) from error
    return _without_traces(program.model_proto)


def without_codes(error: object, longest: int = 300) -> str:
    """What an error says, on one line and without the codes that colour a terminal.

    Example:
        >>> without_codes(ValueError('\\x1b[1;31mFailed\\x1b[0m\\n to export'))
        'Failed to export'
    """
    return plain(COLOUR.sub('', str(error)), longest)


def _without_traces(proto: Any) -> bytes:
    """Remove source locations, which the exporter adds to each node: they name folders of this machine."""
    graph = proto.graph
    nodes = [*graph.node, *(node for function in proto.functions for node in function.node)]
    for item in [proto, graph, *proto.functions, *nodes, *graph.value_info, *graph.input, *graph.output, *graph.initializer]:
        for field in ('metadata_props', 'doc_string'):
            item.ClearField(field)
    return proto.SerializeToString(deterministic=True)
