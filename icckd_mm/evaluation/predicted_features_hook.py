"""Adds features to the predictions of a classifier."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.engine.runner_utils import sample_batch, unwrapped
from icckd_mm.registry import HOOKS


@HOOKS.register_module()
class PredictedFeaturesHook(Hook):
    """Puts the input of the last linear layer as ``features`` into every predicted data sample, for the metrics.

    Acts in ``mode='predict'`` only, on a classifier, and on student and teacher of a distillation. Weights and checkpoint
    do not change. With test-time augmentation the features are those of the first version of an image.

    Args:
        features: Name of the module whose output are the features. Defaults to None: the input of the layer
            that gives the logits.
        logits: Name of the module whose output are the logits. Defaults to None: the last ``nn.Linear`` that
            the forward pass calls. Both names apply to student and teacher.
    """

    def __init__(self, features: str | None = None, logits: str | None = None) -> None:
        self.features, self.logits = features, logits

    def before_run(self, runner: Runner) -> None:
        """Hook the classifiers; not in ``before_val``, since the validation of a teacher comes first."""
        if hasattr(self, 'hooked'):  # the same runner trains and then tests
            return
        model = unwrapped(runner)
        networks = [net for net in (getattr(model, name, None) for name in ('architecture', 'teacher')) if net is not None]
        inputs = model.data_preprocessor(sample_batch(runner), False)['inputs']
        for network in networks or [model]:
            attach(network, inputs, self.features, self.logits)
        self.hooked = True


def attach(model: nn.Module, inputs: Tensor, features: str | None = None, logits: str | None = None) -> None:
    """Make ``model(..., mode='predict')`` give data samples with ``features``.

    Args:
        model: An mmpretrain classifier.
        inputs: A preprocessed batch, to find the layers with.
        features: See :class:`PredictedFeaturesHook`.
        logits: See :class:`PredictedFeaturesHook`.

    Raises:
        ValueError: If the layers are not found.
    """
    seen: dict[str, Tensor] = {}
    layers = find_layers(model, inputs, features, logits)

    def after_model(_: nn.Module, args: tuple, kwargs: dict, output: Any) -> None:
        mode = args[2] if len(args) > 2 else kwargs.get('mode')
        if mode == 'predict':
            for sample, row in zip(output, seen['features'].detach()):
                sample.set_field(row, 'features')
        seen.clear()  # keep no graph and no batch after the step

    layers.record(seen.__setitem__)
    model.register_forward_hook(after_model, with_kwargs=True)
