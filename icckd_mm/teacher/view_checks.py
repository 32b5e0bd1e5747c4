"""Checks before the first step that model and data fit the training of a teacher."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.runner import Runner

from icckd_mm.engine.classifier_layers import takes_several_labels
from icckd_mm.models.data_preprocessors import TwoViewDataPreprocessor
from icckd_mm.models.data_preprocessors.two_view import views_of
from icckd_mm.randomness import preserved_randomness

from .second_views import SECOND_VIEWS, SecondView
from .step import class_labels

LOOKS = 8  # images; a random flip leaves the views of all of them equal once in 256 runs


def check_views(model: Any, batch: dict, view: SecondView) -> None:
    """Raise ``ValueError`` unless the loader gives what the second view needs.

    Args:
        model: The classifier.
        batch: One collated sample of the training loader.
        view: The second view.
    """
    if getattr(model, 'head', None) is None:
        raise ValueError(f'IntraClassContrastHook trains classifiers with a head, got {type(model).__name__}')
    if takes_several_labels(model):
        loss = getattr(model.head, 'loss_module', None)
        raise ValueError(
            f'{type(model.head).__name__} with {type(loss).__name__} gives each class a probability of its own, where the '
            'margin gate needs one class for each image; take a head such as LinearClsHead with a softmax loss'
        )
    class_labels(batch['data_samples'])
    found = len(views_of(batch['inputs']))
    if view.loader_views == 1:
        if found != 1 or (view.needs_index and 'sample_idx' not in batch['data_samples'][0]):
            (name,) = (name for name, one in SECOND_VIEWS.items() if one is view)
            raise ValueError(
                f'second_view={name!r} needs one view of each image and its sample_idx, the training pipeline gives {found} '
                "view(s); take MultiView out, and leave 'sample_idx' in the meta_keys of PackInputs"
            )
        return
    if not isinstance(model.data_preprocessor, TwoViewDataPreprocessor):
        raise ValueError(
            f'model.data_preprocessor is a {type(model.data_preprocessor).__name__}, which cannot stack two views; '
            "set data_preprocessor=dict(type='icckd_mm.TwoViewDataPreprocessor', ...)"
        )
    if found != 2:
        raise ValueError(
            'the training pipeline gives one view of each image, two are needed; wrap its augmentation in '
            "dict(type='MultiView', num_views=2, transforms=[[...]])"
        )


def warn_of_equal_views(runner: Runner) -> None:
    """Log a warning if the two views of each of the first images are equal: their positives would be the images themselves.

    Args:
        runner: The runner, about to train.
    """
    loader = runner.train_dataloader
    images = min(LOOKS, len(loader.dataset))
    with preserved_randomness():
        for index in range(images):
            views = views_of(loader.collate_fn([loader.dataset[index]])['inputs'])
            if len(views) == 1 or not all(torch.equal(one, other) for one, other in zip(*views)):
                return
    runner.logger.warning(
        f'both views of each of the first {images} training images are equal, so that the intra-class loss compares an image '
        'with itself; add a random augmentation, such as RandomCrop, to the transforms of MultiView'
    )
