"""The forward pass of a classifier with two views and the intra-class loss, by forward hooks on the untouched model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .classifier_layers import ClassifierLayers
from .second_views import SECOND_VIEWS, add_store


class ContrastStep:
    """What the forward hooks pass to one another within a training step.

    Attributes:
        weight (Tensor): Scalar factor of the loss in this step.
        number (int): 0 or 1 in turn, for what alternates.
        logits (Tensor): Logits ``(N, C)`` of view 1 in the last step, detached.
        labels (Tensor): Labels ``(N,)`` of the last step.
    """

    def __init__(self, device: torch.device) -> None:
        self.weight = torch.ones((), device=device)  # a tensor: a number would make torch.compile build a graph for each value
        self.number = 0
        self.active = False
        self.rows = 0
        self.indices: list[int] = []
        self.anchors = slice(0)
        self.features: Any = None
        self.logits: Any = None
        self.labels: Any = None
        self.positives: Any = None


def attach(model: Any, layers: ClassifierLayers, second_view: str, ce_views: str, num_images: int = 0) -> ContrastStep:
    """Hook the forward pass of ``model``, whose submodule ``icc_loss`` is the loss.

    Acts in training mode with ``mode='loss'`` only. Plain closures: ``copy.deepcopy`` of the model (EMA) would copy the owner
    of a bound method.

    Args:
        model (nn.Module): The classifier itself, not its DDP wrapper.
        layers (ClassifierLayers): Where features and logits are.
        second_view (str): A key of ``SECOND_VIEWS``, see :class:`icckd_mm.IntraClassContrastHook`.
        ce_views (str): ``'first'`` or ``'both'``, likewise.
        num_images (int): Images of the training set; only ``'bank'`` needs it. Defaults to 0.

    Returns:
        ContrastStep: To set the weight and to read logits and labels.
    """
    step = ContrastStep(next(model.parameters()).device)
    view = SECOND_VIEWS[second_view]

    def keep(name: str, value: Tensor) -> None:
        if step.active:
            setattr(step, name, value)

    def before_model(module: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        call = _Call(args, kwargs)
        if not (module.training and call.mode == 'loss'):
            return None
        step.labels = class_labels(call.data_samples)
        step.rows = len(step.labels)
        _check_rows(call.inputs, step.rows, view.loader_views)
        step.indices = [sample.get('sample_idx', -1) for sample in call.data_samples] if second_view == 'bank' else []
        step.active = True
        call.inputs = view.before(module, call.inputs, step)
        if ce_views == 'both':
            call.data_samples = [*call.data_samples, *call.data_samples]
        return call.changed()

    def after_head(_: nn.Module, __: tuple, output: Any) -> Any:
        """Only view 1 reaches cross-entropy and accuracy; head and batch norm have seen the batch of 2N."""
        if step.active and second_view == 'grad' and ce_views == 'first':
            return _first_rows(output, step.rows)
        return None

    def after_model(module: Any, args: tuple, kwargs: dict, output: Any) -> dict | None:
        if not (module.training and _Call(args, kwargs).mode == 'loss'):
            return None
        features, logits = step.features, step.logits[: step.rows]
        anchors, positives = view.after(module, features, step)
        loss = module.icc_loss(features[: step.rows][anchors], positives, logits[anchors], step.labels[anchors])
        step.active, step.features, step.positives = False, None, None  # the graph must not outlive the step
        step.logits = logits.detach()
        return {**output, 'loss_icc': step.weight * loss}

    layers.record(keep)
    add_store(model, second_view, num_images)
    model.register_forward_pre_hook(before_model, with_kwargs=True)
    model.head.register_forward_hook(after_head)
    model.register_forward_hook(after_model, with_kwargs=True)
    return step


class _Call:
    """The arguments of a classifier's forward, given by position or by keyword."""

    def __init__(self, args: tuple, kwargs: dict) -> None:
        given = dict(zip(('inputs', 'data_samples', 'mode'), args), **kwargs)
        self.inputs = given['inputs']
        self.data_samples: Any = given.get('data_samples')
        self.mode = given.get('mode', 'tensor')

    def changed(self) -> tuple[tuple, dict]:
        return (self.inputs, self.data_samples), {'mode': self.mode}


def class_labels(data_samples: list[Any]) -> torch.Tensor:
    """The labels ``(N,)`` of mmpretrain's data samples.

    Raises:
        ValueError: If there are none, or if they were mixed.
    """
    if not data_samples or 'gt_label' not in data_samples[0]:
        raise ValueError('the intra-class loss needs gt_label in every data sample; add PackInputs to the training pipeline')
    if 'gt_score' in data_samples[0]:
        raise ValueError(
            'data samples carry gt_score (mixup, cutmix or one-hot labels): such an image belongs to no class; '
            'remove model.train_cfg.augments and to_onehot'
        )
    return torch.cat([sample.gt_label for sample in data_samples])


def _first_rows(output: Any, rows: int) -> Any:
    """The first rows of a head's output; some heads give several logits."""
    if isinstance(output, (tuple, list)):
        return type(output)(_first_rows(item, rows) for item in output)
    return output[:rows]


def _check_rows(inputs: Tensor, rows: int, views: int) -> None:
    if inputs.size(0) != views * rows:
        raise ValueError(f'{views} view(s) of {rows} images need {views * rows} rows, the batch has {inputs.size(0)}')
