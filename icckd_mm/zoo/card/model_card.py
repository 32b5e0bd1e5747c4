"""Writes the model card of a zoo entry."""

from __future__ import annotations

from icckd_mm.plain_text import in_markdown, is_file_name
from icckd_mm.version import __version__
from icckd_mm.zoo.input_shape import Shape
from icckd_mm.zoo.meta import run_name
from icckd_mm.zoo.network import Network
from icckd_mm.zoo.standalone_config import channel_order, evaluation_loader

from .entry import FOLDERS, Entry, dataset_name
from .method import method
from .sections import onnx_section, preprocessing

MOST_NAMES = 20  # of classes on the card


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
    return (
        f"""# {entry.name}

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
{method(network)}
""".rstrip()
        + '\n'
    )


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


def _run(network: Network) -> str:
    name = run_name(network.meta)
    shown = f'`{name}`' if is_file_name(name) else in_markdown(name)
    return f'{shown}, epoch {network.meta.get("epoch")}, seed {network.meta.get("seed")}'


def _log_line(entry: Entry) -> str:
    return f'\nLosses and accuracies by step: `{entry.beside(".json")}`.' if entry.beside('.json') else ''
