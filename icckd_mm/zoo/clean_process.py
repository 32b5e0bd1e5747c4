"""Checks of published folders, run as a script in a clean process that does not import this package.

``icckd_mm.zoo.verify`` pipes this file into a fresh Python process.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import sys
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any, Optional

import mmcv
import numpy as np
import torch
import yaml
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

Check = tuple[str, Optional[bool], str]  # name, whether it passed (None: could not be checked), and details
COLOUR = re.compile(r'\x1b\[[0-9;]*[A-Za-z]')
LIST = 'images.txt'  # as in image_list.py
NOT_OURS = ('icckd_mm', 'mmrazor')
DOWNLOADING = ('CIFAR', 'MNIST')  # data sets of mmpretrain that download themselves
TOLERANCE = 1e-5  # of logits, from single precision, in any network
ROUNDING = 4  # times the error of PyTorch in single precision: a deep network may differ by more than TOLERANCE
POINTS = 0.1  # by which a metric may differ from the claimed one, or two images


def check_folder(folder: Path, metrics: bool, places: dict[str, Any] | None = None) -> list[Check]:
    """Hash, safe loading, ``get_model``, a prediction, the other formats and the metrics; the first failure ends the list.

    Args:
        folder: A folder written by :func:`icckd_mm.zoo.publish.publish`.
        metrics: Whether to measure on the data set, where it is present.
        places: Where the data are, such as ``data_root``. Defaults to where the config says.

    Returns:
        Name of the check, whether it passed, and details.
    """
    (entry,) = yaml.safe_load((folder / 'metafile.yml').read_text(encoding='utf-8'))['Models']
    state: dict[str, Any] = {
        'config': folder / Path(entry['Config']).name,
        'weights': folder / Path(entry['Weights']).name,
        'places': places,
        'loaded': {name for name in NOT_OURS if name in sys.modules},
    }
    tries = [
        ('hash', check_hash),
        ('safe loading', check_loading),
        ('mmpretrain.get_model', check_model),
        ('prediction', check_prediction),
        ('plain mmpretrain', check_plain),
        ('safetensors', check_safetensors),
        ('ONNX', check_onnx),
        ('metrics', check_metrics),
    ]
    checks: list[Check] = []
    for what, check in tries if metrics else tries[:-1]:
        try:
            detail = check(entry, state)
        except Exception as error:  # any error here is a failed check
            name = '' if isinstance(error, ValueError) else f'{type(error).__name__}: '
            checks.append((what, False, ' '.join(COLOUR.sub('', f'{name}{error}').split())))
            break
        if detail:
            checks.append((what, None if detail.startswith('not checked') else True, detail))
    return checks


def check_hash(entry: dict[str, Any], state: dict[str, Any]) -> str:
    """The name of the weights contains the beginning of their SHA-256."""
    weights = state['weights']
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if not weights.name.endswith(f'-{digest[:8]}.pth'):
        raise ValueError(f'{weights.name} has the hash {digest[:8]}; the file was changed or damaged')
    return digest[:8]


def check_loading(entry: dict[str, Any], state: dict[str, Any]) -> str:
    """The weights load without running code."""
    state['checkpoint'] = torch.load(state['weights'], map_location='cpu', weights_only=True)
    return f'{len(state["checkpoint"]["state_dict"])} tensors'


def check_model(entry: dict[str, Any], state: dict[str, Any]) -> str:
    """``get_model`` gives the network with exactly these weights."""
    from mmpretrain import get_model

    model = get_model(str(state['config']), pretrained=str(state['weights']), device='cpu')
    stored = state['checkpoint']['state_dict']
    if model.state_dict().keys() != stored.keys():
        raise ValueError(f'keys differ: {sorted(model.state_dict().keys() ^ stored.keys())[:3]}')
    if not all(torch.equal(value, stored[name]) for name, value in model.state_dict().items()):
        raise ValueError('weights differ from those in the file')
    state['model'] = model
    return type(getattr(model, 'backbone', model)).__name__


def check_prediction(entry: dict[str, Any], state: dict[str, Any]) -> str:
    """An image file that is larger than the network's images gets probabilities."""
    from mmpretrain import ImageClassificationInferencer

    size, channels = entry['Metadata']['Image Size'], entry['Metadata'].get('Image Channels', 3)
    sides = [side + side // 2 for side in (size if isinstance(size, list) else [size, size])]
    shape = sides if channels == 1 else [*sides, channels]
    pixels = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    predict = ImageClassificationInferencer(state['model'])
    if channels == 3:
        with tempfile.TemporaryDirectory() as temporary:
            image = str(Path(temporary) / 'image.png')
            mmcv.imwrite(pixels, image)
            (result,) = predict(image)
    else:  # mmpretrain reads files in colour
        (result,) = predict(pixels)
    if not np.isclose(np.sum(result['pred_scores']), 1, atol=1e-3):
        raise ValueError(f'the scores are not probabilities: {result["pred_scores"]}')
    return f'class {result.get("pred_class", result["pred_label"])}'


def check_plain(entry: dict[str, Any], state: dict[str, Any]) -> str:
    """The checks before imported neither this package nor mmrazor for a network of mmpretrain."""
    loaded = {name for name in NOT_OURS if name in sys.modules} - state['loaded']
    if 'icckd_mm.' in str(state['model']._config.model):
        return ''  # the network is ours: mmengine has imported this package by the prefix
    if loaded:
        raise ValueError(f'{", ".join(sorted(loaded))} was imported, though the network is one of mmpretrain')
    return 'neither icckd_mm nor mmrazor imported'


def check_safetensors(entry: dict[str, Any], state: dict[str, Any]) -> str:
    """The same tensors as in the ``.pth``."""
    path = state['weights'].with_suffix('.safetensors')
    if not path.is_file():
        return ''
    try:
        from safetensors.torch import load_file
    except ImportError:
        return "not checked: safetensors is missing: pip install 'icckd_mm[export]'"
    stored = state['checkpoint']['state_dict']
    tensors = load_file(path)
    if tensors.keys() != stored.keys() or not all(torch.equal(value, stored[name]) for name, value in tensors.items()):
        raise ValueError(f'{path.name} differs from the .pth')
    return 'same tensors'


def check_onnx(entry: dict[str, Any], state: dict[str, Any]) -> str:
    """The graph gives the logits for one image and for eight, about as exactly as PyTorch does in single precision."""
    path = state['weights'].with_suffix('.onnx')
    if not path.is_file():
        return ''
    try:
        import onnxruntime
    except ImportError:
        return "not checked: onnxruntime is missing: pip install 'icckd_mm[export]'"
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    (given,) = session.get_inputs()
    model, exact = state['model'], deepcopy(state['model']).double()
    rows = []
    for batch in (1, 8):
        images = torch.randint(
            256, (batch, *given.shape[1:]), dtype=torch.uint8, generator=torch.Generator().manual_seed(batch)
        )
        ready = model.data_preprocessor({'inputs': images})['inputs']
        fed = images if given.type == 'tensor(uint8)' else ready
        (logits,) = session.run(None, {given.name: fed.numpy()})
        with torch.no_grad():
            rows.append((torch.from_numpy(logits).double(), model(ready).double(), exact(ready.double()).double()))
    graph, single, reference = (torch.cat(parts) for parts in zip(*rows))
    apart, rounding = (float((one - reference).abs().max()) for one in (graph, single))
    allowed = max(TOLERANCE * (1 + float(reference.abs().max())), ROUNDING * rounding)
    if not apart <= allowed:  # a NaN is not
        other = 100 * float((graph.argmax(1) != reference.argmax(1)).double().mean())
        raise ValueError(
            f'the graph computes something else than the network: its logits are up to {apart:.1e} away from those in double '
            f'precision, PyTorch in single precision {rounding:.1e}, and {other:.0f} % of the images get another class'
        )
    return f'batch 1 and 8 are {apart:.1e} away from double precision, PyTorch {rounding:.1e}'


def check_metrics(entry: dict[str, Any], state: dict[str, Any]) -> str:
    """The metrics on the data set match those in the metafile."""
    config = state['model']._config
    places = {**carried(config, state['config'].parent), **(state['places'] or {})}
    try:
        measured, images = measure(state['model'], config, places)
    except LookupError as error:
        return f'not checked: {error.args[0]}'
    claimed = entry['Results'][0]['Metrics'] if entry.get('Results') else {}
    allowed = max(POINTS, 200 / images)
    wrong = [key for key in claimed if key in measured and abs(claimed[key] - measured[key]) > allowed]
    seen = ', '.join(f'{key} {value:.2f}' for key, value in measured.items())
    if wrong:
        raise ValueError(f'measured {seen}, but the metafile says {", ".join(f"{key} {claimed[key]}" for key in wrong)}')
    return f'{seen} on {images} images'


def measure(model: Any, config: Config, places: dict[str, Any] | None = None) -> tuple[dict[str, float], int]:
    """Metrics of a model on the test split that its config names.

    Args:
        model: A classifier in evaluation mode.
        config: With ``test_dataloader`` and ``test_evaluator``.
        places: Where the data are, such as ``data_root``. Defaults to where the config says.

    Returns:
        The metrics, and the number of images.

    Raises:
        LookupError: If there is no evaluator, or if the data are missing.
    """
    if not config.get('test_evaluator') or not config.get('test_dataloader'):
        raise LookupError('the config has no evaluator')
    data = build_dataset({**config.test_dataloader.dataset.to_dict(), **(places or {})})
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        import mmpretrain.evaluation  # noqa: F401  # registers the metrics

        loader = Runner.build_dataloader({**config.test_dataloader.to_dict(), 'dataset': data})
        evaluator = Evaluator(config.test_evaluator)
        evaluator.dataset_meta = data.metainfo
        _check_classes(model._dataset_meta.get('classes'), data.metainfo.get('classes'))
        with torch.no_grad():
            for batch in loader:
                evaluator.process(data_samples=model.test_step(batch), data_batch=batch)
        return {key: float(value) for key, value in evaluator.evaluate(len(data)).items()}, len(data)


def carried(config: Config, folder: Path) -> dict[str, str]:
    """Where the list of test images is, if the published folder carries it."""
    dataset = config.get('test_dataloader', {}).get('dataset', {})
    return {'ann_file': str(folder.absolute() / LIST)} if dataset.get('ann_file') == LIST and (folder / LIST).is_file() else {}


def build_dataset(config: dict[str, Any]) -> Any:
    """Build a data set whose files are present.

    Raises:
        LookupError: If they are missing or cannot be read.
    """
    dataset = without_download(config)
    root = dataset.get('data_root')
    if root and '://' not in root and not Path(root).expanduser().is_dir():
        raise LookupError(f'the data are missing ({root})')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        from mmpretrain.registry import DATASETS

        try:
            return DATASETS.build(dataset)
        except Exception as error:
            raise LookupError(f'the data cannot be read ({str(error).splitlines()[0]})') from None


def without_download(dataset: dict[str, Any]) -> dict[str, Any]:
    """The config of a data set without downloads."""
    found = {key: without_download(value) if key == 'dataset' else value for key, value in dataset.items()}
    return {**found, 'download': False} if any(name in str(found.get('type')) for name in DOWNLOADING) else found


def _check_classes(trained: Any, tested: Any) -> None:
    """Raise if classes differ from those of the training; with no name in common they may be other spellings."""
    if not trained or not tested or list(trained) == list(tested):
        return
    if len(trained) != len(tested) or set(trained) & set(tested):
        unlike = [f'{one} / {other}' for one, other in zip(trained, tested) if one != other] or ['their number']
        raise ValueError(f'classes of training and test data differ: {", ".join(unlike[:5])}; give both the same class folders')


def main() -> None:
    """Check the folders given after ``1`` (with metrics) or ``0``, a list of modules and the places of the data as JSON."""
    metrics, modules, places, *folders = sys.argv[1:]
    for name in filter(None, modules.split(',')):
        importlib.import_module(name)
    print('\n' + json.dumps([check_folder(Path(folder), metrics == '1', json.loads(places)) for folder in folders]))


if __name__ == '__main__':
    main()
