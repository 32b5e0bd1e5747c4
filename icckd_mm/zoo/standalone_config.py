"""Makes a config that needs only mmpretrain (and this package, if the network is ours)."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from icckd_mm.config.loss_place import loss_config
from icckd_mm.config.registered import check_registered
from icckd_mm.datasets.wrappers.nesting import innermost_configs
from icckd_mm.plain_text import plain

from .input_shape import Shape, input_shape
from .network import Network

KEPT = ('mean', 'std', 'to_rgb', 'pad_size_divisor', 'pad_value')  # keys of the data preprocessor; the others are for training
LOADERS = {'test_dataloader': 'test_evaluator', 'val_dataloader': 'val_evaluator', 'train_dataloader': None}
PLACES = ('data_root', 'data_prefix', 'ann_file')


def standalone_config(network: Network) -> Config:
    """Model, data preprocessor, test pipeline and evaluator of a network, without ``_base_`` and without training.

    A test pipeline that relies on the size of the stored images gets a ``Resize`` to that size, which leaves those images
    unchanged: a user's image may have any size. A wrapper around the data set is dropped together with the evaluator:
    mmpretrain's inferencer reads the pipeline of the data set itself.

    Args:
        network: From :func:`icckd_mm.zoo.network.take_network`.

    Returns:
        A plain mmpretrain config, of registered classes only.

    Raises:
        ValueError: If the run's config does not describe a classifier, or is refused by :func:`check_registered`.
    """
    config = checked_parts(network)
    shape, resized = input_shape(config, network.state, _training_pipelines(network))
    if resized:
        pipeline = config['test_dataloader']['dataset']['pipeline']
        after_loading = int(bool(pipeline) and pipeline[0]['type'].rpartition('.')[2].startswith('LoadImage'))
        pipeline.insert(after_loading, {'type': 'Resize', 'scale': (shape[2], shape[1])})
    return Config(config)


def checked_parts(network: Network) -> dict[str, Any]:
    """The parts of :func:`standalone_config` with the pipeline of the run, checked by :func:`check_registered`."""
    try:
        config = _parts(network)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            f'the config in {network.checkpoint} does not describe a classifier and its test data ({plain(repr(error))}); '
            'take a checkpoint of tools/train.py'
        ) from None
    return check_registered(config, str(network.checkpoint))


def _parts(network: Network) -> dict[str, Any]:
    run = network.config
    model = deepcopy(network.model)
    model.pop('_scope_', None)  # default_scope sets it
    model.pop('init_cfg', None)
    model.get('backbone', {}).pop('init_cfg', None)  # may name a file of the run
    if 'loss' in loss_config(model):
        loss_config(model)['loss'] = {'type': 'CrossEntropyLoss'}  # also if it was trained with another one
    model.pop('train_cfg', None)
    model['data_preprocessor'] = _single_view(run, model)
    config = {'default_scope': 'mmpretrain', 'model': model, 'data_preprocessor': model['data_preprocessor']}
    config.update(_test_part(run.to_dict(), evaluation_loader(network)))
    return config


def evaluation_loader(network: Network) -> str:
    """The loader that shows how images are prepared: that of the test, else of the validation, else of the training.

    Raises:
        ValueError: If the run has none.
    """
    for name in LOADERS:
        if network.config.get(name):
            return name
    raise ValueError(
        f'the config in {network.checkpoint} has no data loader, so it does not say how images are prepared; take a checkpoint '
        'of tools/train.py'
    )


def image_shape(config: Config, network: Network) -> Shape:
    """Channels, height and width of the images that the test pipeline gives."""
    return input_shape(config.to_dict(), network.state, _training_pipelines(network))[0]


def without_machine(dataset: dict[str, Any]) -> dict[str, Any]:
    """A data set whose folders are named by their last two parts, as in ``flowers/val``, where they were absolute."""
    return {key: _short(value) if key in PLACES else value for key, value in dataset.items()}


def _short(place: Any) -> Any:
    if isinstance(place, dict):
        return {key: _short(value) for key, value in place.items()}
    if not isinstance(place, str) or not Path(place).is_absolute():
        return place
    return '/'.join(Path(place).parts[1:][-2:])


def _training_pipelines(network: Network) -> list[Any]:
    """Pipelines of the training, where they are of registered classes alone."""
    run = network.config.to_dict()
    try:
        inner = innermost_configs(run['train_dataloader']['dataset'])
        checked = [
            check_registered({'test_dataloader': {'dataset': {**one, 'pipeline': one['pipeline']}}}, 'training')
            for one in inner
        ]
        return [one['test_dataloader']['dataset']['pipeline'] for one in checked]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []


def channel_order(config: Config, channels: int = 3) -> str:
    """Colour order of the images of the data set: CIFAR is stored as RGB, files are read as BGR."""
    if channels != 3:
        return 'grey' if channels == 1 else f'of {channels} channels'
    return 'RGB' if 'CIFAR' in str(config.get('test_dataloader', {}).get('dataset', {}).get('type', '')) else 'BGR'


def _single_view(run: Config, model: dict[str, Any]) -> dict[str, Any]:
    """The preprocessor for one view of each image; that of a distillation is valid for its student."""
    used = run.model.get('data_preprocessor') or run.get('data_preprocessor') or model.get('data_preprocessor') or {}
    return {'type': 'ClsDataPreprocessor', **{key: deepcopy(used[key]) for key in KEPT if key in used}}


def _test_part(run: dict[str, Any], name: str) -> dict[str, Any]:
    loader = deepcopy(run[name])
    inner = innermost_configs(loader['dataset'])[0]
    wrapped = inner is not loader['dataset']
    loader['dataset'] = inner
    pipeline = list(loader['dataset'].get('pipeline') or [])
    if name == 'train_dataloader':  # its other steps augment
        pipeline = [step for step in pipeline if step['type'].rpartition('.')[2].startswith(('LoadImage', 'PackInputs'))]
        loader.pop('sampler', None)
        loader['drop_last'] = False
    loader['dataset']['pipeline'] = pipeline
    part = {'test_dataloader': loader}
    evaluators = run.get(LOADERS[name] or '') or []
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    plain = [one for one in evaluators if not str(one.get('type')).startswith(('icckd_mm.', 'mmrazor.'))]
    if plain and not wrapped:
        part['test_evaluator'] = deepcopy(plain)
        part['test_cfg'] = {}  # the loop of a distillation would look for a teacher
    return part
