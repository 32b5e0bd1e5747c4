"""Measures of a trained classifier other than its accuracy."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from icckd_mm.functional import class_geometry
from icckd_mm.lab.measures.calibration import calibration
from icckd_mm.lab.measures.features import FeatureSpace, extract
from icckd_mm.lab.measures.hidden_classes import hidden_classes
from icckd_mm.lab.measures.soft_labels import conditional_mutual_information
from icckd_mm.lab.measures.subclass_probe import loader_as_tested, subclass_probe
from icckd_mm.lab.measures.views import view_measures


def measure(classifier: Any, loader: Any, train_set: Any = None) -> dict[str, Any]:
    """Geometry of features, calibration and entropy on a data split; measures of fine classes and views if it has them.

    Args:
        classifier: An mmpretrain classifier with its data preprocessor; left in evaluation mode.
        loader: Batches with ``inputs`` and ``data_samples``.
        train_set: The data set that it was trained on, for class means of fine classes. Defaults to None.

    Returns:
        ``geometry`` as of :func:`icckd_mm.functional.class_geometry`; ``ece`` over 15 bins; ``largest_class``, the percentage
        of images of the largest class; ``entropy``, the mean entropy of the predictions in nats; ``subclass_probe`` as of
        :func:`.subclass_probe`, if the samples have a ``fine_label``; ``views`` as of :func:`.view_measures`, if they have a
        ``view``; rounded to 6 digits, since the last bits depend on the machine.

    Raises:
        ValueError: If the classifier gives NaN or infinite features or logits.
    """
    seen = extract(classifier, loader)
    log_probs = seen.logits.double().log_softmax(dim=1)
    found: dict[str, Any] = {
        'geometry': {name: round(value, 6) for name, value in class_geometry(seen.features, seen.labels).items()},
        'ece': round(calibration(seen.logits, seen.labels).ece, 6),
        'largest_class': round(100 * float(seen.labels.bincount().max()) / len(seen.labels), 4),
        'lowest_class': round(_lowest_class(seen), 4),
        'entropy': round(float(-(log_probs.exp() * log_probs).sum(dim=1).mean()), 6),
        'cmi': round(conditional_mutual_information(seen.logits, seen.labels), 6),
    }
    views = view_measures(seen.logits, seen.labels, seen.samples)
    if views:
        found['views'] = {name: value and round(value, 6) for name, value in views.items()}
    if train_set is not None and 'fine_label' in seen.samples[0]:
        trained = with_fine_labels(extract(classifier, loader_as_tested(train_set, loader)))
        found['subclass_probe'] = subclass_probe(trained, with_fine_labels(seen))
        found['hidden_classes'] = hidden_classes(trained, with_fine_labels(seen))
    return found


def with_fine_labels(space: FeatureSpace) -> tuple[Tensor, Tensor, Tensor]:
    """Features, fine labels and labels."""
    return space.features, torch.tensor([sample.fine_label for sample in space.samples]), space.labels


def _lowest_class(seen: FeatureSpace) -> float:
    right = (seen.logits.argmax(dim=1) == seen.labels).double()
    counts = seen.labels.bincount()
    return 100 * float((seen.labels.bincount(right) / counts)[counts > 0].min())
