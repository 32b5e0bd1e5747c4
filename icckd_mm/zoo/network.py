"""Extracts a network from a checkpoint: the student of a distillation, or a teacher without its training aids."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from icckd_mm.compat.checkpoints.config_text import parse_config_text
from icckd_mm.compat.own_paths import find_latest_checkpoint
from icckd_mm.compat.safe_load import load_checkpoint_safely
from icckd_mm.config.building import check_sizes
from icckd_mm.engine.loading.wrapped_names import without_wrappers
from icckd_mm.plain_text import plain

from .meta import checked_meta

STUDENT = 'architecture.'
AIDS = ('icc_loss.', 'data_preprocessor.', 'head.loss_module.', 'loss_module.')  # used in training only


@dataclass
class Network:
    """A classifier taken out of a training checkpoint.

    Attributes:
        config: Config of the run.
        model: Config of the classifier.
        state: Its weights, under the names of an mmpretrain classifier.
        meta: Information on the run, see :func:`icckd_mm.zoo.meta.checked_meta`.
        distilled: Whether it is the student of a distillation.
        checkpoint: File that it was taken from.
        average: Whether the weights are the average of ``EMAHook``; None if the run has none.
    """

    config: Config
    model: dict[str, Any]
    state: OrderedDict[str, Tensor]
    meta: dict[str, Any]
    distilled: bool
    checkpoint: Path
    average: bool | None


def find_checkpoint(run: str | os.PathLike[str]) -> Path:
    """The checkpoint itself, or the last one of a work dir.

    Args:
        run: A checkpoint or a work dir.

    Returns:
        The checkpoint.

    Raises:
        ValueError: If there is none.
    """
    path = Path(run).expanduser()
    if path.is_file():
        return path
    if not path.is_dir():
        raise ValueError(f'{run} is neither a checkpoint nor a work dir')
    found = find_latest_checkpoint(str(path))
    if found is None:
        raise ValueError(f'{run} has no last_checkpoint: the run has not written one yet; train it, or name a checkpoint')
    if not os.path.isfile(found):
        raise ValueError(f'{path / "last_checkpoint"} names {plain(found)}, which does not exist; name a checkpoint')
    return Path(found)


def take_network(run: str | os.PathLike[str], ema: bool = False, allow_unfinished: bool = False) -> Network:
    """Take the student, or the teacher of a teacher run, out of a checkpoint.

    Args:
        run: A checkpoint of ``tools/train.py``, or its work dir.
        ema: Whether to take the averaged weights of ``EMAHook``. Defaults to False.
        allow_unfinished: Whether to accept a checkpoint from before the end of training. Defaults to False.

    Returns:
        Weights and configs of the classifier.

    Raises:
        ValueError: If there is no checkpoint, no config in it, no averaged weights with ``ema``, or no classifier, or if the
            run has not finished.
    """
    path = find_checkpoint(run)
    try:
        checkpoint = load_checkpoint_safely(path, map_location='cpu')
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from None
    meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
    if not isinstance(meta, dict) or not isinstance(meta.get('cfg'), str) or not isinstance(checkpoint.get('state_dict'), dict):
        raise ValueError(f'{path} does not hold the config of its run (meta.cfg); take a checkpoint of tools/train.py')
    config, meta = parse_config_text(meta['cfg']), checked_meta(meta)
    if not allow_unfinished:
        _check_finished(config, meta, path)
    state = {
        str(name): value
        for name, value in without_wrappers(_weights(checkpoint, ema, path)).items()
        if isinstance(value, Tensor)
    }
    model = config.to_dict().get('model')
    distilled = isinstance(model, dict) and 'architecture' in model
    if distilled:
        model = model['architecture']
        state = {name[len(STUDENT) :]: value for name, value in state.items() if name.startswith(STUDENT)}
    state = {name: value for name, value in state.items() if not name.startswith(AIDS)}
    named = isinstance(model, dict) and ('backbone' in model or 'model_name' in model)  # the second: a network of timm
    if not state or not named:
        raise ValueError(f'{path} holds no classifier: neither a student (architecture.*) nor a network with a backbone')
    check_sizes(state, path)
    # Contiguous copies: a view would be saved with its whole storage.
    copies = OrderedDict((name, value.clone(memory_format=torch.contiguous_format)) for name, value in state.items())
    average = ema if 'ema_state_dict' in checkpoint else None
    return Network(config, model, copies, meta, distilled, path, average)


def _check_finished(config: Config, meta: dict[str, Any], path: Path) -> None:
    plan = config.get('train_cfg')
    plan = plan if isinstance(plan, dict) else {}
    for unit, end in (('epoch', plan.get('max_epochs')), ('iter', plan.get('max_iters'))):
        if type(end) is int and end and meta.get(unit, end) < end:
            raise ValueError(
                f'{path} is of {unit} {meta[unit]} of {end}, the training has not finished; '
                'resume it, or publish it anyway with --allow-unfinished'
            )


def _weights(checkpoint: dict[str, Any], ema: bool, path: Path) -> dict[str, Tensor]:
    """The averaged or the trained weights; ``EMAHook`` stores the average as ``state_dict``, the others apart."""
    trained = checkpoint.get('ema_state_dict')
    trained = trained if isinstance(trained, dict) else None
    if ema and trained is None:
        raise ValueError(f'{path} has no averaged weights (ema_state_dict); train with EMAHook or omit --ema')
    if ema or trained is None:
        return checkpoint['state_dict']
    prefix = 'module.'
    swapped = {name[len(prefix) :]: value for name, value in trained.items() if str(name).startswith(prefix)}
    return {name: swapped.get(name, value) for name, value in checkpoint['state_dict'].items()}
