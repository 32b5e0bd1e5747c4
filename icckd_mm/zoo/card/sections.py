"""Sections of a model card that say how images are fed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icckd_mm.zoo.onnx_export import INPUT, OPSET, OUTPUT
from icckd_mm.zoo.standalone_config import channel_order

if TYPE_CHECKING:
    from .entry import Entry


def preprocessing(entry: Entry) -> str:
    """What is done to an image before the network, step by step."""
    given = entry.config.model.data_preprocessor
    order, turned = channel_order(entry.config, entry.shape[0]), given.get('to_rgb', False)
    lines = [f'Images {order}, 0 to 255, resized by the test pipeline in `{entry.name}.py`; `get_model` does the following:']
    lines += ['1. convert the colours to RGB'] if turned else []
    if given.get('mean') is not None:
        lines += [f'{len(lines)}. subtract mean {list(given.mean)}, divide by std {list(given.std)}, in that order of colours']
    return '\n'.join(lines)


def onnx_section(entry: Entry) -> str:
    """How to feed the ONNX graph; empty where there is none."""
    file = entry.beside('.onnx')
    if not file:
        return ''
    shape = ', '.join(map(str, entry.shape))
    order = channel_order(entry.config, entry.shape[0])
    colours = f'colours {order} ' if entry.shape[0] == 3 else ''
    fed = (
        f'uint8 `(batch, {shape})`, {colours}(the preprocessing below is in the graph)'
        if entry.with_preprocess
        else f'float32 `(batch, {shape})`, preprocessed as below'
    )
    return f"""
`{file}` (opset {OPSET}, any batch size) takes `{INPUT}`, {fed}, and gives `{OUTPUT}`, before the softmax.
"""
