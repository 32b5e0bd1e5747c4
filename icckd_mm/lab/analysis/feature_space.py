"""Features and logits of a trained classifier on its test split."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner
from torch import Tensor

from icckd_mm.compat.safe_load import load_checkpoint_safely
from icckd_mm.lab.measures.features import FeatureSpace, extract
from icckd_mm.zoo.network import AIDS, Network
from icckd_mm.zoo.standalone_config import standalone_config


def feature_space(config: str, checkpoint: str) -> FeatureSpace:
    """Run the test split of ``config`` through its classifier.

    Args:
        config (str): Path of a classifier's config (a teacher or a baseline, not a distillation).
        checkpoint (str): Its weights.

    Returns:
        FeatureSpace: Features, logits and labels of all test images.
    """
    cfg = Config.fromfile(config)
    return _space(cfg, cfg.test_dataloader, load_checkpoint_safely(checkpoint, map_location='cpu')['state_dict'])


def network_space(network: Network) -> FeatureSpace:
    """Run the test split of a run through its classifier.

    Args:
        network (Network): From :func:`icckd_mm.zoo.network.take_network`; of a distillation it is the student.

    Returns:
        FeatureSpace: Features, logits and labels of all test images.

    Raises:
        ValueError: If the config has no test split.
    """
    loader = network.config.get('test_dataloader')
    if not loader:
        raise ValueError(f'the config in {network.checkpoint} has no test_dataloader; add one to the config of the run')
    return _space(standalone_config(network), loader, network.state)


def teacher_of(network: Network) -> Network | None:
    """The frozen teacher of a distillation.

    Args:
        network (Network): A student, or any other network.

    Returns:
        Network, optional: The teacher with the student's test split; None where there is none, or its weights are gone.
    """
    teacher, checkpoint = network.config.model.get('teacher'), network.config.model.get('teacher_ckpt')
    if not network.distilled or 'backbone' not in (teacher or {}) or not os.path.isfile(str(checkpoint)):
        return None
    weights = load_checkpoint_safely(checkpoint, map_location='cpu')
    return replace(network, model=teacher.to_dict(), state=weights.get('state_dict', weights), distilled=False)


def _space(config: Config, test_loader: dict[str, Any], weights: dict[str, Tensor]) -> FeatureSpace:
    from mmpretrain import get_model  # heavy

    model: Any = get_model(config, device=get_device()).eval()
    model.load_state_dict({name: value for name, value in weights.items() if not name.startswith(AIDS)})
    loader = Runner.build_dataloader({**test_loader, 'collate_fn': dict(type='default_collate')})
    return extract(model, loader)
