"""Writes ``metafile.yml`` and the model card of a zoo entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from mmengine.analysis import FlopAnalyzer
from mmengine.config import Config

from icckd_mm.plain_text import in_markdown, is_file_name, plain
from icckd_mm.version import __version__

from .card_sections import onnx_section, preprocessing
from .input_shape import Shape
from .meta import mmengine_of, run_name
from .network import Network
from .onnx_export import OPSET
from .standalone_config import channel_order, evaluation_loader, without_machine

PAPER = {
    'Title': 'Enriching Knowledge Distillation with Intra-Class Contrastive Learning',
    'URL': 'https://arxiv.org/abs/2509.22053',
}

FOLDERS = ('CustomDataset',)  # data sets of somebody's own
MOST_NAMES = 20  # of classes on the card


@dataclass
class Entry:
    """Content of the metafile and model card of a model.

    Attributes:
        name: Its name.
        weights: File name of its weights.
        network: From :func:`icckd_mm.zoo.network.take_network`.
        config: From :func:`icckd_mm.zoo.standalone_config.standalone_config`.
        shape: Channels, height and width of the images that the network is given.
        sizes: From :func:`complexity`.
        metrics: Results on the test split, such as ``{'accuracy/top1': 98.6}``.
        teacher: The results of its teacher.
        files: Names of its other files.
        with_preprocess: Whether the ONNX graph holds the preprocessing.
        root: Path of the folder relative to that of the model index, ``''`` without one.
        modules: Modules of the user that register the network.
    """

    name: str
    weights: str
    network: Network
    config: Config
    shape: Shape
    sizes: dict[str, int]
    metrics: dict[str, float]
    teacher: dict[str, float] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    with_preprocess: bool = False
    root: str = ''
    modules: Sequence[str] = ()

    def beside(self, suffix: str) -> str | None:
        """The file with that suffix, if it was written."""
        return next((name for name in self.files if name.endswith(suffix)), None)


def complexity(model: torch.nn.Module, shape: Sequence[int]) -> dict[str, int]:
    """Parameters and FLOPs (multiply-adds, as OpenMMLab counts them) for one image of a shape ``(C, H, W)``.

    A projector of SimKD, which a student keeps from its distillation, is also counted alone.
    """
    image = torch.zeros(1, *shape)
    counter = FlopAnalyzer(model, (image,)).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    sizes = {'FLOPs': int(counter.total()), 'Parameters': _parameters(model)}
    projector = getattr(getattr(model, 'neck', None), 'projector', None)
    if isinstance(projector, torch.nn.Module):
        sizes['Projector FLOPs'] = int(counter.by_module()['neck.projector'])
        sizes['Projector Parameters'] = _parameters(projector)
    return sizes


def _parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def dataset_name(run: Config, loader: str = 'test_dataloader') -> str:
    """Name of the data set of a run, with its wrappers, ``'ClassMap(CIFAR100)'``, or its folder, ``'flowers/val'``."""
    dataset = (run.get(loader) or {}).get('dataset') or {}
    name = plain(str(dataset.get('type', 'unknown')).rsplit('.', 1)[-1])
    if name in FOLDERS:
        parts = [without_machine(dataset).get('data_root') or '', without_machine(dataset).get('data_prefix') or '']
        parts[1] = parts[1].get('img_path', '') if isinstance(parts[1], dict) else parts[1]
        named = [part for part in '/'.join(map(str, parts)).split('/') if part not in ('', '.', '..')]
        return plain('/'.join(named[-2:]) or name)
    return f'{name}({dataset_name({loader: dataset}, loader)})' if 'dataset' in dataset else name


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
        model['Metadata']['Teacher'] = _plain_values(_teachers(run.model.to_dict(), entry.teacher))
    return {'Collections': [{'Name': 'ICCKD', 'Paper': PAPER, 'README': 'README.md'}], 'Models': [model]}


def write_yaml(content: dict[str, Any]) -> str:
    """YAML with the keys in the order given."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def model_card(entry: Entry) -> str:
    """A README with a description of the model and how to use it in three lines."""
    network = entry.network
    kind = 'student, distilled with mmrazor' if network.distilled else 'classifier'
    rows = [f'| {in_markdown(key)} | {value:.2f} |' for key, value in entry.metrics.items()]
    results = '\n'.join(rows) or '| (not measured) | |'
    ours = '\nNeeds the package icckd_mm, which holds the network.\n' if 'icckd_mm.' in str(network.model) else ''
    for module in entry.modules:
        ours += f'\nNeeds the module `{module}`, which registers the network.\n'
    imports = ''.join(f'import {module}\n' for module in entry.modules)
    reader = {'RGB': ", channel_order='rgb'", 'BGR': None, 'grey': ", 'grayscale'"}.get(
        channel_order(entry.config, entry.shape[0]), ", 'unchanged'"
    )
    image = "'image.png'" if reader is None else f"mmcv.imread('image.png'{reader})"
    return f"""# {entry.name}

A {kind}: {entry.sizes['Parameters']:,} parameters, {entry.sizes['FLOPs'] / 1e6:.1f} M multiply-adds per image
of {_pixels(entry.shape)}.{_projector(entry.sizes)}
{_classes(network)}
| metric on {_split(network)} | value |
|---|---|
{results}

## Use
{ours}
```python
{'import mmcv' + chr(10) if reader else ''}{imports}from mmpretrain import ImageClassificationInferencer
predict = ImageClassificationInferencer({entry.name + '.py'!r}, pretrained={entry.weights!r})
print(predict({image})[0]['pred_class'])
```
{onnx_section(entry)}
## Preprocessing

{preprocessing(entry)}

## Training

Run {_run(network)}, on {_split(network, 'train_dataloader')};
published by icckd_mm {__version__}.{_log_line(entry)}

Method: {PAPER['Title']}, {PAPER['URL']}
"""


def _projector(sizes: dict[str, int]) -> str:
    """What a projector adds to the network, in a sentence."""
    if 'Projector Parameters' not in sizes:
        return ''
    cost = f'{sizes["Projector Parameters"]:,} parameters and {sizes["Projector FLOPs"] / 1e6:.1f} M multiply-adds'
    use = "the projector\nthat lets it use its teacher's classifier (SimKD)"
    return f'\nOf these {cost} are {use}. The same network from another distiller is smaller.'


def _split(network: Network, loader: str | None = None) -> str:
    """Which images, for a sentence."""
    loader = loader or evaluation_loader(network)
    name, dataset = dataset_name(network.config, loader), (network.config.get(loader) or {}).get('dataset') or {}
    if str(dataset.get('type')).rpartition('.')[2] in FOLDERS:
        return f'the images in {in_markdown(name)}'
    split = {'test_dataloader': 'test', 'val_dataloader': 'validation', 'train_dataloader': 'training'}[loader]
    return f'the {split} split of {in_markdown(name)}'


def _sides(shape: Shape) -> int | list[int]:
    """The side of square images, height and width of others."""
    return shape[1] if shape[1] == shape[2] else list(shape[1:])


def _pixels(shape: Shape) -> str:
    channels, height, width = shape
    size = f'{height}x{width} pixels' if height == width else f'{height} pixels high and {width} wide'
    return size if channels == 3 else f'{size}, {"one channel (grey)" if channels == 1 else f"{channels} channels"}'


def _classes(network: Network) -> str:
    """A line with the names of the classes, in the order of the outputs."""
    names = network.meta.get('dataset_meta', {}).get('classes') or ()
    if not names:
        return ''
    shown = ', '.join(in_markdown(name, 40) for name in names[:MOST_NAMES])
    more = f' and {len(names) - MOST_NAMES} more, in `meta` of the weights' if len(names) > MOST_NAMES else ''
    return f'\nClasses: {shown}{more}.\n'


def _rounded(metrics: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 2) for key, value in metrics.items()}


def _run(network: Network) -> str:
    name = run_name(network.meta)
    shown = f'`{name}`' if is_file_name(name) else in_markdown(name)
    return f'{shown}, epoch {network.meta.get("epoch")}, seed {network.meta.get("seed")}'


def _plain_values(value: Any) -> Any:
    """Part of a config as plain values for YAML."""
    if isinstance(value, dict):
        return {plain(key): _plain_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_values(item) for item in value]
    return value if isinstance(value, (int, float, type(None))) else plain(value)


def _teachers(algorithm: dict[str, Any], metrics: dict[str, float]) -> dict[str, Any] | list[dict[str, Any]]:
    teacher = algorithm.get('teacher') or {}
    several = teacher.get('teachers')
    pairs = zip(several, teacher.get('teacher_ckpts', [])) if several else [(teacher, algorithm.get('teacher_ckpt'))]
    described = [
        {
            'Backbone': one.get('backbone', {'type': str(one.get('type') or one.get('cfg_path') or 'the student itself')}),
            'Checkpoint': '/'.join(Path(str(file)).parts[-2:]),  # not the folders of this machine
        }
        for one, file in pairs
    ]
    if len(described) > 1:
        return described
    return {**described[0], 'Metrics': _rounded(metrics)} if metrics else described[0]


def _log_line(entry: Entry) -> str:
    return f'\nLosses and accuracies by step: `{entry.beside(".json")}`.' if entry.beside('.json') else ''
