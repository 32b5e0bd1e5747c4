"""Writes ``metafile.yml``, which lists a model in OpenMMLab's format."""

from __future__ import annotations

from typing import Any

import yaml

from icckd_mm.plain_text import plain
from icckd_mm.version import __version__
from icckd_mm.zoo.input_shape import Shape
from icckd_mm.zoo.meta import mmengine_of, run_name
from icckd_mm.zoo.onnx_export import OPSET
from icckd_mm.zoo.standalone_config import evaluation_loader

from .entry import Entry, dataset_name
from .method import PAPER, teachers


def metafile(entry: Entry) -> dict[str, Any]:
    """The content of ``metafile.yml``, Collections and Models in OpenMMLab's format."""
    network, run = entry.network, entry.network.config
    model: dict[str, Any] = {
        'Name': entry.name,
        'In Collection': 'ICCKD',
        'Metadata': {
            **entry.sizes,
            'Image Size': _sides(entry.shape),
            **({} if entry.shape[0] == 3 else {'Image Channels': entry.shape[0]}),
            'Epochs': network.meta.get('epoch'),
            'Seed': network.meta.get('seed'),
            'Code': f'icckd_mm {__version__}, mmengine {mmengine_of(network.meta)}',
            'Training Data': dataset_name(run, 'train_dataloader'),
            'Training Config': run_name(network.meta),
        },
        'Results': [],
        'Config': f'{entry.root}{entry.name}.py',
        'Weights': f'{entry.root}{entry.weights}',
    }
    if network.average is not None:
        model['Metadata']['Averaged Weights'] = network.average
    if entry.metrics:
        where = dataset_name(run, evaluation_loader(network))
        result = {'Task': 'Image Classification', 'Dataset': where, 'Metrics': _rounded(entry.metrics)}
        model['Results'].append(result)
    if entry.beside('.json'):
        model['Training Log'] = f'{entry.root}{entry.beside(".json")}'
    if entry.beside('.onnx'):
        model['ONNX'] = {
            'File': f'{entry.root}{entry.beside(".onnx")}',
            'Opset': OPSET,
            'Preprocessing': 'in the graph' if entry.with_preprocess else 'before the graph',
        }
    if network.distilled:
        model['Metadata']['Teacher'] = _plain_values(_with_metrics(teachers(network), entry.teacher))
    return {'Collections': [{'Name': 'ICCKD', 'Paper': PAPER, 'README': 'README.md'}], 'Models': [model]}


def write_yaml(content: dict[str, Any]) -> str:
    """YAML with the keys in the order given."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _sides(shape: Shape) -> int | list[int]:
    """The side of square images, height and width of others."""
    return shape[1] if shape[1] == shape[2] else list(shape[1:])


def _with_metrics(found: list[dict[str, Any]], metrics: dict[str, float]) -> dict[str, Any] | list[dict[str, Any]]:
    if len(found) > 1:
        return found
    return {**found[0], 'Metrics': _rounded(metrics)} if metrics else found[0]


def _rounded(metrics: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 2) for key, value in metrics.items()}


def _plain_values(value: Any) -> Any:
    """Part of a config as plain values for YAML."""
    if isinstance(value, dict):
        return {plain(key): _plain_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_values(item) for item in value]
    return value if isinstance(value, (int, float, type(None))) else plain(value)
