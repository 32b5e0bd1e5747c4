"""Whether model, training images and test images belong together, judged by some images of each data set."""

from __future__ import annotations

from typing import Any

from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.models.heads import MultiLabelClsHead

from icckd_mm.datasets.class_names import check_labels
from icckd_mm.datasets.even_subset import spread
from icckd_mm.models.data_preprocessors import TwoViewDataPreprocessor
from icckd_mm.randomness import preserved_randomness

LOOKED_AT = 8  # images of a data set, evenly spread


def image_batch(loader: Any, place: str) -> dict:
    """Some images of a loader's data set as a batch; random generators stay as they were.

    Args:
        loader: A loader of torch, none of its worker processes is started.
        place: Its key in the config, for the message.

    Raises:
        ValueError: If the images differ in size and cannot be joined.
    """
    dataset = loader.dataset
    if not len(dataset):
        return {}
    with preserved_randomness():
        samples = [dataset[index] for index in spread(len(dataset), min(LOOKED_AT, len(dataset)))]
        try:
            return loader.collate_fn(samples)
        except RuntimeError as error:
            found = sorted({size for sample in samples if (size := _size([sample.get('inputs')])) is not None})
            if len(found) < 2:
                raise
            reason = error
    raise ValueError(
        f'{place} gives images of different size ({", ".join("x".join(map(str, size)) for size in found[:4])}), which cannot '
        f'form a batch; add a Resize or crop to {place}.dataset.pipeline'
    ) from reason


def check_views(model: Any, batch: dict, contrasts: bool) -> None:
    """Refuse several views of an image where the model takes one.

    Args:
        model: The classifier or distillation that is about to train.
        batch: Of the training loader.
        contrasts: Whether a hook of the teacher's training takes the second view.

    Raises:
        ValueError: Saying where the views come from.
    """
    inputs = batch.get('inputs')
    listed = inputs if isinstance(inputs, (list, tuple)) else []
    views = len(listed)
    several = views > 1 and all(getattr(view, 'ndim', 0) == 4 for view in listed)
    preprocessor = getattr(model, 'data_preprocessor', None)
    stacked = isinstance(preprocessor, TwoViewDataPreprocessor) and (contrasts or preprocessor.repeat_samples)
    if several and isinstance(preprocessor, ClsDataPreprocessor) and not stacked:
        who = 'the student' if hasattr(model, 'architecture') else 'the model'
        raise ValueError(
            f'the training pipeline gives {views} views of each image, {who} takes one; take MultiView out of '
            'train_dataloader.dataset.pipeline and leave its transforms there (two views belong to IntraClassContrastHook, or '
            'to TwoViewDataPreprocessor with repeat_samples=True)'
        )


def different_sizes(train: dict, test: dict) -> str | None:
    """A warning if training and test images differ in size; None if they do not, or have none.

    Args:
        train: A batch of the training loader.
        test: A batch of the validation or test loader.
    """
    sizes = [_size(batch.get('inputs')) for batch in (train, test)]
    if None in sizes or sizes[0] == sizes[1]:
        return None
    first, second = ('x'.join(map(str, size or ())) for size in sizes)
    return (
        f'training images are {first}, validation or test images {second}; give both pipelines the same Resize or crop, '
        'unless that is meant'
    )


def different_classes(model: Any, dataset: Any) -> str | None:
    """A warning if the head and the names of the data set differ in number; None otherwise.

    Args:
        model: A classifier or distillation, built or as a config.
        dataset: Its training set.

    Raises:
        ValueError: If an image has a class that the head does not have.
    """
    student = _part(model, 'architecture')
    head = _part(model if student is None else student, 'head')
    wide, names = _part(head, 'num_classes'), (getattr(dataset, 'metainfo', None) or {}).get('classes')
    if not isinstance(wide, int) or not names or len(names) == wide:
        return None
    if len(names) > wide and not _takes_several_labels(head):
        check_labels(dataset, wide)  # all labels: only now, since listing them takes time
    place = 'model' if student is None else 'model.architecture'
    return f'the head has {wide} classes, the training set names {len(names)}; set {place}.head.num_classes={len(names)}'


def _part(whole: Any, name: str) -> Any:
    return whole.get(name) if isinstance(whole, dict) else getattr(whole, name, None)


def _takes_several_labels(head: Any) -> bool:
    return 'MultiLabel' in str(head.get('type')) if isinstance(head, dict) else isinstance(head, MultiLabelClsHead)


def _size(inputs: Any) -> tuple[int, ...] | None:
    while isinstance(inputs, (list, tuple)) and inputs:
        inputs = inputs[0]
    shape = getattr(inputs, 'shape', None)
    return tuple(shape[-2:]) if shape is not None and len(shape) > 2 else None
