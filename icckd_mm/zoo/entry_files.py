"""Writes the files of a zoo entry."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Callable

import torch
from mmengine.config import Config

from icckd_mm.compat.checkpoints.config_text import parse_config_text
from icckd_mm.config.building import build_classifier, only_registered

from .card.complexity import complexity
from .card.entry import Entry
from .card.metafile import metafile, write_yaml
from .card.model_card import model_card
from .clean_process import measure
from .image_list import LIST, list_to_carry
from .network import Network
from .onnx_export import onnx_bytes
from .standalone_config import image_shape, standalone_config, without_machine
from .training_log import find_log, logged_metrics

KEPT = ('epoch', 'iter', 'seed', 'time', 'experiment_name', 'dataset_meta', 'mmengine_version')


def silent(what: str) -> None:
    """Say nothing."""


def write_entry(
    network: Network,
    name: str,
    folder: Path,
    formats: Sequence[str] = ('pth',),
    with_preprocess: bool = False,
    metrics: bool = True,
    root: str = '',
    modules: Sequence[str] = (),
    say: Callable[[str], None] = silent,
) -> tuple[Entry, str]:
    """Write weights, config, log, ``metafile.yml`` and model card into a folder.

    Args:
        network: From :func:`icckd_mm.zoo.network.take_network`.
        name: Name of the model.
        folder: An empty folder.
        formats: Some of ``'pth'`` (always written), ``'safetensors'`` and ``'onnx'``.
        with_preprocess: Whether the ONNX graph holds the preprocessing. Defaults to False.
        metrics: Whether to measure metrics that the run did not log. Defaults to True.
        root: Path of the entry relative to its model index, with a slash at the end. Defaults to none.
        modules: Modules of the user that register the network. Defaults to none.
        say: Called with the name of each step before it begins. Defaults to silence.

    Returns:
        The content of metafile and model card, and why there is no ONNX graph though it was asked for (empty if there is one).

    Raises:
        OSError: If something cannot be written.
        ValueError: If the network cannot be built, or if config and weights do not belong together.
    """
    config = standalone_config(network)
    model = _build(network, config)
    content = _pth(network)
    date = network.meta.get('time', 'undated')[:8]
    weights = folder / f'{name}_{date}-{hashlib.sha256(content).hexdigest()[:8]}.pth'
    weights.write_bytes(content)
    if 'safetensors' in formats:
        from safetensors.torch import save

        weights.with_suffix('.safetensors').write_bytes(save(network.state))
    shape, refused = image_shape(config, network), ''
    if 'onnx' in formats:
        say('exporting the ONNX graph')
        try:
            weights.with_suffix('.onnx').write_bytes(onnx_bytes(model, shape, with_preprocess))
        except ValueError as error:
            refused = str(error)
    log = find_log(network)
    if log is not None:
        shutil.copyfile(log, weights.with_suffix('.json'))
    loader = config.test_dataloader
    listed = list_to_carry(loader.dataset)
    if listed is not None:
        (folder / LIST).write_bytes(listed)
    files = sorted(file.name for file in folder.iterdir())
    own, teacher = logged_metrics(network)
    if not own and metrics:
        say('measuring on the test split')
        model._dataset_meta = network.meta.get('dataset_meta', {})  # as get_model does; the classes are compared
        own = _measured(model, config)
    loader.dataset = without_machine(loader.dataset.to_dict())
    if listed is not None:
        loader.dataset.ann_file = LIST
    sizes = complexity(model, shape)
    entry = Entry(name, weights.name, network, config, shape, sizes, own, teacher, files, with_preprocess, root, modules)
    write_papers(entry, folder)
    return entry, refused


def write_papers(entry: Entry, folder: Path) -> None:
    """Write config, ``metafile.yml`` and model card of an entry."""
    name, config, network = entry.name, entry.config, entry.network
    (folder / f'{name}.py').write_text(_config_text(config, network.checkpoint), encoding='utf-8')
    (folder / 'metafile.yml').write_text(write_yaml(metafile(entry)), encoding='utf-8')
    (folder / 'README.md').write_text(model_card(entry), encoding='utf-8')


def _build(network: Network, config: Config) -> torch.nn.Module:
    try:
        model = build_classifier(config.model, network.state).eval()
    except Exception as error:  # a constructor may raise any error
        reason = ' '.join(str(error).split())
        raise ValueError(f'the network in the config of {network.checkpoint} cannot be built: {reason}') from error
    try:
        model.load_state_dict(network.state)
    except RuntimeError as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'config and weights of {network.checkpoint} do not belong together: {reason}') from None
    return model


def _config_text(config: Config, checkpoint: Path) -> str:
    """The config as Python assignments; mmengine does not quote the keys of a dict."""
    text = config.pretty_text
    if parse_config_text(text).to_dict() != config.to_dict():
        raise ValueError(f'the config in {checkpoint} cannot be written as Python; its keys or values are unusual')
    return text


def _pth(network: Network) -> bytes:
    """Save in memory: a zip written to a file contains the file's name, which would change its hash."""
    meta = {key: network.meta[key] for key in KEPT if key in network.meta}
    buffer = io.BytesIO()
    torch.save({'meta': meta, 'state_dict': network.state}, buffer)
    return buffer.getvalue()


def _measured(model: torch.nn.Module, config: Config) -> dict[str, float]:
    try:
        with only_registered():
            return measure(model, config)[0]
    except LookupError:
        return {}
