"""Checks the data sets of a run before its first step."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmpretrain.datasets import CustomDataset
from mmpretrain.registry import DATASETS as HOST_DATASETS

from icckd_mm.datasets.batch_count import check_batches
from icckd_mm.datasets.class_names import check_same_classes, check_trained_classes
from icckd_mm.datasets.wrappers.nesting import innermost_configs
from icckd_mm.datasets.wrappers.places import count_places
from icckd_mm.engine.image_checks import check_views, different_classes, different_sizes, image_batch
from icckd_mm.engine.runner_utils import unwrapped
from icckd_mm.engine.single_image import watch_norms
from icckd_mm.registry import HOOKS


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Refuses data sets whose labels mean different classes, and per-image memories that do not fit the training set.

    Compares the class names and class folders of all splits in use, and of the checkpoint that is resumed or tested. The
    commands in ``tools/`` add this hook. Images of different size in training and validation, and a head with more classes than
    the data, give a warning, or an error with ``strict=True``. A last batch of one image, from which a batch norm of this model
    cannot learn, is refused at the first batch.

    Args:
        strict: Whether to refuse what otherwise gives a warning.

    Raises:
        ValueError: Before training or test, naming the classes, the wrapper or the sizes.
    """

    priority = 'VERY_HIGH'

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.watching: list[Any] = []

    def before_run(self, runner: Runner) -> None:
        """Compare the data sets with each other, and the teacher's classes with them."""
        splits = _splits(runner)
        check_same_classes({**splits, **_waiting_test_set(runner, splits)})
        model = unwrapped(runner)
        for place, dataset in list(splits.items())[:1]:
            for name, classes in getattr(model, 'teacher_classes', {}).items():
                _warn(runner, check_trained_classes(classes, name, dataset, place))
        if 'train' in splits:
            check_batches(runner.train_dataloader)
            self._check_images(runner, model)
            for module in model.modules():
                user = getattr(module, 'rows_of', None)
                if user is not None:
                    module.check_rows(count_places(runner.train_dataloader, user))

    def before_train(self, runner: Runner) -> None:
        """Watch the first batch, if the last one of an epoch has a single image."""
        self.watching = watch_norms(unwrapped(runner), runner.train_dataloader)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        """Stop watching."""
        while self.watching:
            self.watching.pop().remove()

    def _check_images(self, runner: Runner, model: Any) -> None:
        """Compare some training images with some that are validated, and the classes with those of the head."""
        loader, loop = runner.train_dataloader, runner._val_loop
        self._report(runner, different_classes(model, loader.dataset))
        if not hasattr(loader, 'collate_fn'):
            return
        batch = image_batch(loader, 'train_dataloader')
        check_views(model, batch, any(hasattr(hook, 'second_view') for hook in runner.hooks))
        if isinstance(loop, BaseLoop):
            self._report(runner, different_sizes(batch, image_batch(loop.dataloader, 'val_dataloader')))

    def _report(self, runner: Runner, warning: str | None) -> None:
        if warning and self.strict:
            raise ValueError(warning)
        _warn(runner, warning)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the classes that a checkpoint was trained with; the file in ``load_from`` may have others."""
        splits = _splits(runner)
        if 'train' in splits and not runner._resume:
            return
        meta = checkpoint.get('meta')
        dataset_meta = meta.get('dataset_meta') if isinstance(meta, dict) else None
        classes = dataset_meta.get('classes') if isinstance(dataset_meta, dict) else None
        for place, dataset in list(splits.items())[:1]:
            _warn(runner, check_trained_classes(classes, f'the checkpoint {runner._load_from or ""}'.strip(), dataset, place))


def _splits(runner: Runner) -> dict[str, Any]:
    """The data sets in use."""
    loops = {'train': runner._train_loop, 'val': runner._val_loop, 'test': runner._test_loop}
    return {name: loop.dataloader.dataset for name, loop in loops.items() if isinstance(loop, BaseLoop)}


def _waiting_test_set(runner: Runner, splits: dict[str, Any]) -> dict[str, Any]:
    """The test set of a training, built only if it exists and takes its labels from folders."""
    loader = runner._test_dataloader
    config = loader.get('dataset') if 'train' in splits and isinstance(loader, dict) else None
    if not isinstance(config, dict) or config == (runner.cfg.get('val_dataloader') or {}).get('dataset'):
        return {}
    named = [one['type'] for one in innermost_configs(config)]
    kinds = [HOST_DATASETS.get(kind) if isinstance(kind, str) else kind for kind in named]
    if not all(isinstance(kind, type) and issubclass(kind, CustomDataset) for kind in kinds):
        return {}
    try:
        return {'test': HOST_DATASETS.build(config)}
    except Exception:  # a broken test set is reported by the test, not by the training
        return {}


def _warn(runner: Runner, warning: str | None) -> None:
    if warning:
        runner.logger.warning(warning)
