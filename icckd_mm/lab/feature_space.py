"""Features and logits of a trained classifier on its test split."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner
from torch import Tensor

from icckd_mm.compat.safe_load import load_checkpoint_safely
from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.functional import class_geometry, confidence_margin


@dataclass
class FeatureSpace:
    """What a classifier makes of a data split.

    Attributes:
        features (Tensor): Input of the last linear layer, ``(N, D)``, on the CPU.
        logits (Tensor): ``(N, C)``.
        labels (Tensor): ``(N,)``.
    """

    features: Tensor
    logits: Tensor
    labels: Tensor

    @property
    def accuracy(self) -> float:
        """Top-1 in percent."""
        return 100 * float((self.logits.argmax(dim=1) == self.labels).float().mean())

    @property
    def geometry(self) -> dict[str, float]:
        """:func:`icckd_mm.functional.class_geometry` of the features."""
        return class_geometry(self.features, self.labels)

    def pass_share(self, margin: float) -> float:
        """Share of images whose confidence margin is above ``margin``."""
        return float((confidence_margin(self.logits, self.labels) > margin).float().mean())


def feature_space(config: str, checkpoint: str) -> FeatureSpace:
    """Run the test split of ``config`` through its classifier.

    Args:
        config (str): Path of a classifier's config (a teacher or a baseline, not a distillation).
        checkpoint (str): Its weights.

    Returns:
        FeatureSpace: Features, logits and labels of all test images.
    """
    from mmpretrain import get_model  # heavy

    cfg = Config.fromfile(config)
    model = get_model(cfg, device=get_device()).eval()
    weights = load_checkpoint_safely(checkpoint, map_location='cpu')['state_dict']
    model.load_state_dict({name: value for name, value in weights.items() if not name.startswith('icc_loss.')})
    loader = Runner.build_dataloader({**cfg.test_dataloader, 'collate_fn': dict(type='default_collate')})
    seen: dict[str, list[Tensor]] = {'features': [], 'logits': [], 'labels': []}
    layers = None
    with torch.no_grad():
        for batch in loader:
            data = model.data_preprocessor(batch, False)
            if layers is None:
                layers = find_layers(model, data['inputs'][:1], None, None)
                layers.record(lambda name, value: seen[name].append(value.cpu()))
            model(data['inputs'], mode='tensor')
            seen['labels'].append(torch.cat([sample.gt_label for sample in data['data_samples']]).cpu())
    return FeatureSpace(**{name: torch.cat(parts) for name, parts in seen.items()})
