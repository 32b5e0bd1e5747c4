"""What is measured of a trained classifier beside its accuracy."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.functional import class_geometry
from icckd_mm.lab.calibration import calibration


@torch.no_grad()
def measure(classifier: Any, loader: Any) -> dict[str, Any]:
    """Geometry of the features, calibration and entropy of the soft labels on a data split.

    Args:
        classifier (Any): An mmpretrain classifier with its data preprocessor; left in evaluation mode.
        loader (Any): Batches with ``inputs`` and ``data_samples``.

    Returns:
        dict: ``geometry`` as of :func:`icckd_mm.functional.class_geometry`; ``ece`` over 15 bins; ``entropy``, the mean of the
        predictions' in nats; rounded to 6 digits, since the last bits depend on the machine.
    """
    classifier.eval()
    seen: dict[str, list[Tensor]] = {'features': [], 'logits': [], 'labels': []}
    handles: list[Any] = []
    for batch in loader:
        data = classifier.data_preprocessor(batch, False)
        if not handles:
            layers = find_layers(classifier, data['inputs'][:1], None, None)
            handles = layers.record(lambda name, value: seen[name].append(value.float().cpu()))
        classifier(data['inputs'], mode='tensor')
        seen['labels'].append(torch.cat([sample.gt_label for sample in data['data_samples']]).cpu())
    for handle in handles:
        handle.remove()
    features, logits, labels = (torch.cat(seen[name]) for name in ('features', 'logits', 'labels'))
    log_probs = logits.double().log_softmax(dim=1)
    return {
        'geometry': {name: round(value, 6) for name, value in class_geometry(features, labels).items()},
        'ece': round(calibration(logits, labels).ece, 6),
        'entropy': round(float(-(log_probs.exp() * log_probs).sum(dim=1).mean()), 6),
    }
