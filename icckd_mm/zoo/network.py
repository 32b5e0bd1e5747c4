"""The one network in a checkpoint that others want: the student of a distillation, or a teacher without its training aids."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import Tensor

from icckd_mm.compat.config_text import parse_config_text
from icckd_mm.compat.safe_load import load_checkpoint_safely

STUDENT = 'architecture.'
AIDS = ('icc_loss.', 'data_preprocessor.', 'head.loss_module.')  # of training, not of the network


@dataclass
class Network:
    """A classifier taken out of a training checkpoint.

    Attributes:
        config (Config): Config of the run.
        model (dict): Config of the classifier alone.
        state (OrderedDict[str, Tensor]): Its weights, under the names of an mmpretrain classifier.
        meta (dict): What the checkpoint says about the run: epoch, time, seed, class names.
        distilled (bool): Whether it is the student of a distillation.
        checkpoint (Path): Where it comes from.
    """

    config: Config
    model: dict[str, Any]
    state: OrderedDict[str, Tensor]
    meta: dict[str, Any]
    distilled: bool
    checkpoint: Path


def find_checkpoint(run: str | os.PathLike[str]) -> Path:
    """The checkpoint itself, or the last one of a work dir.

    Args:
        run (str | PathLike): A checkpoint or a work dir.

    Returns:
        Path: The checkpoint.

    Raises:
        ValueError: If there is none.
    """
    path = Path(run).expanduser()
    if path.is_file():
        return path
    if not path.is_dir():
        raise ValueError(f'{run} is neither a checkpoint nor a work dir')
    pointer = path / 'last_checkpoint'
    if not pointer.is_file():
        raise ValueError(f'{run} has no last_checkpoint: the run has written none yet; train it, or name a checkpoint')
    named = Path(pointer.read_text(encoding='utf-8').strip())
    found = named if named.is_file() else path / named.name  # a work dir may have been moved
    if not found.is_file():
        raise ValueError(f'{pointer} names {named}, which does not exist; name a checkpoint')
    return found


def take_network(run: str | os.PathLike[str], ema: bool = False) -> Network:
    """Take the student, or the teacher of a teacher run, out of a checkpoint.

    Args:
        run (str | PathLike): A checkpoint of ``tools/train.py``, or its work dir.
        ema (bool): Whether to take the averaged weights of ``EMAHook``. Defaults to False.

    Returns:
        Network: Weights and configs of the classifier alone.

    Raises:
        ValueError: If there is no checkpoint, no config in it, no averaged weights though wanted, or no classifier.
    """
    path = find_checkpoint(run)
    checkpoint = load_checkpoint_safely(path, map_location='cpu')
    meta = checkpoint.get('meta', {})
    if 'cfg' not in meta:
        raise ValueError(f'{path} does not hold the config of its run (meta.cfg); take a checkpoint of tools/train.py')
    state = checkpoint['state_dict']
    if ema:
        if 'ema_state_dict' not in checkpoint:
            raise ValueError(f'{path} has no averaged weights (ema_state_dict); train with EMAHook or leave --ema out')
        state = {name[len('module.') :]: value for name, value in checkpoint['ema_state_dict'].items() if name != 'steps'}
    config = parse_config_text(meta['cfg'])
    model = config.model.to_dict()
    distilled = 'architecture' in model
    if distilled:
        model = model['architecture']
        state = {name[len(STUDENT) :]: value for name, value in state.items() if name.startswith(STUDENT)}
    state = OrderedDict((name, value) for name, value in state.items() if not name.startswith(AIDS))
    if not state or 'backbone' not in model:
        raise ValueError(f'{path} holds no classifier: neither a student (architecture.*) nor a network with a backbone')
    return Network(config, model, state, meta, distilled, path)
