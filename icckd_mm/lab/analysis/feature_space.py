"""Features and logits of a trained classifier on its test split."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import Tensor

from icckd_mm.compat.safe_load import load_checkpoint_safely
from icckd_mm.config.building import build_classifier, only_registered
from icckd_mm.config.registered import check_registered
from icckd_mm.engine.loading.wrapped_names import without_wrappers
from icckd_mm.lab.measures.features import FeatureSpace, extract
from icckd_mm.plain_text import plain
from icckd_mm.zoo.clean_process import without_download
from icckd_mm.zoo.network import AIDS, Network
from icckd_mm.zoo.standalone_config import checked_parts


def feature_space(config: str, checkpoint: str) -> FeatureSpace:
    """Run the test split of ``config`` through its classifier.

    Args:
        config: Path of a classifier's config (a teacher or a baseline, not a distillation).
        checkpoint: Its weights.

    Returns:
        Features, logits and labels of all test images.
    """
    from mmpretrain import get_model  # heavy

    cfg = Config.fromfile(config)
    weights = without_wrappers(load_checkpoint_safely(checkpoint, map_location='cpu')['state_dict'])
    return _space(get_model(cfg), cfg.test_dataloader, weights)


def network_space(network: Network) -> FeatureSpace:
    """Run the test split of a run through its classifier.

    Args:
        network: From :func:`icckd_mm.zoo.network.take_network`; of a distillation it is the student.

    Returns:
        Features, logits and labels of all test images.

    Raises:
        ValueError: If the config has no test split, or is refused by :func:`check_registered`.
    """
    loader = network.config.to_dict().get('test_dataloader')
    if not loader:
        raise ValueError(f'the config in {network.checkpoint} has no test_dataloader; add one to the config of the run')
    model = checked_parts(network)['model']
    loader = check_registered({'test_dataloader': loader}, str(network.checkpoint))['test_dataloader']
    if not isinstance(loader, dict) or not isinstance(loader.get('dataset'), dict):
        raise ValueError(f'test_dataloader of the config in {network.checkpoint} has no dataset; take another checkpoint')
    loader['dataset'] = without_download(loader['dataset'])
    with DefaultScope.overwrite_default_scope('mmpretrain'), only_registered():
        return _space(build_classifier(model, network.state), loader, network.state)


def teacher_of(network: Network, named: Sequence[Path], given: Path | None = None) -> Network | None:
    """The frozen teacher of a distillation.

    Args:
        network: A student, or any other network.
        named: Files and folders that the user named. The checkpoint in the student's config is read
            only if it is one of them or in one of them.
        given: The teacher's checkpoint; overrides the config.

    Returns:
        The teacher with the student's test split; None if there is none, or its weights are not in ``named``.

    Raises:
        ValueError: If the file holds no weights.
    """
    model = network.config.to_dict().get('model') or {}
    teacher, said = model.get('teacher'), model.get('teacher_ckpt')
    if not network.distilled or not isinstance(teacher, dict) or 'backbone' not in teacher:
        return None
    file = given
    if file is None and isinstance(said, str) and '://' not in said:
        path = Path(os.path.abspath(said))
        file = path if any(one in (path, *path.parents) for one in named) and path.is_file() else None
    if file is None:
        return None
    weights = load_checkpoint_safely(file, map_location='cpu')
    state = weights.get('state_dict', weights) if isinstance(weights, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f'{file} holds no weights of a teacher; name a checkpoint of tools/train.py')
    return replace(network, model=teacher, state=OrderedDict(without_wrappers(state)), distilled=False)


def _space(model: Any, test_loader: dict[str, Any], weights: Mapping[str, Tensor]) -> FeatureSpace:
    model = model.to(get_device()).eval()
    try:
        model.load_state_dict({name: value for name, value in weights.items() if not name.startswith(AIDS)})
    except RuntimeError as error:
        raise ValueError(f'the weights do not fit their config: {plain(error, 400)}') from None
    loader = Runner.build_dataloader({**test_loader, 'collate_fn': dict(type='default_collate')})
    return extract(model, loader)
