"""Shares one pass of a teacher among many students."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import barrier, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from icckd_mm.datasets.wrappers.nesting import common_pipeline
from icckd_mm.datasets.wrappers.places import count_places
from icckd_mm.distill.teacher_cache import TeacherCache
from icckd_mm.distill.teacher_key import digest, teacher_key
from icckd_mm.engine.exact.train_loop import ExactTrainLoop
from icckd_mm.engine.runner_utils import sample_batch, unwrapped
from icckd_mm.registry import HOOKS

FIXED = {'LoadImageFromFile', 'Resize', 'ResizeEdge', 'CenterCrop', 'PackInputs'}


@HOOKS.register_module()
class TeacherCacheHook(Hook):
    """Caches the teacher's logits on disk: the first student stores them, others read them and do not run the teacher.

    For :class:`icckd_mm.SafeTeacherDistill`, with distillers that use the logits only. If the training pipeline is not
    random, all epochs and seeds share one view. Otherwise each epoch is a view: under :class:`icckd_mm.ExactTrainLoop` an
    augmentation depends on (seed, epoch, index), so students with the same seed see the same images. A view that is
    incomplete, because the run was interrupted, is collected by the next run. A view takes ``N * C`` numbers: 10 MB for
    CIFAR-100 in ``float16``, 2.4 GB for 240 epochs. Several processes write one file together, so all of them must
    have access to ``folder``.

    Args:
        folder: Folder of the logits; one per teacher, data set, pipeline and seed, which is checked.
        dtype: ``'float16'`` or ``'float32'``; with the latter a student is bit-identical to one without cache. Defaults
            to ``'float16'``.

    Raises:
        ValueError: If ``dtype`` is unknown, or, before training, if the distillation cannot use the cache or the folder
            holds other logits.
    """

    def __init__(self, folder: str, dtype: str = 'float16') -> None:
        TeacherCache.check_dtype(dtype)
        self.folder, self.dtype = folder, dtype

    def before_train(self, runner: Runner) -> None:
        """Check that the logits can be shared, and attach the cache to the algorithm."""
        model = unwrapped(runner)
        recorder = _only_recorder(model)
        random = sorted(_random_steps(common_pipeline(runner.cfg.train_dataloader['dataset'])))
        loop = ExactTrainLoop if random else EpochBasedTrainLoop
        if not isinstance(runner.train_loop, loop):
            raise ValueError(
                f'TeacherCacheHook needs train_cfg.type {loop.__name__}, so that {", ".join(random) or "an epoch"} can be '
                f'repeated, got {type(runner.train_loop).__name__}'
            )
        if getattr(model.data_preprocessor, 'batch_augments', None) is not None:
            raise ValueError('TeacherCacheHook cannot keep logits of mixed images; remove train_cfg.augments')
        self.single_view = not random
        places = count_places(runner.train_dataloader, 'TeacherCacheHook')
        size, classes = _first_pass(runner, model, recorder)
        key = teacher_key(runner, model, recorder.source, size, self.single_view)
        self.cache = TeacherCache(self.folder, key, places, classes, self.dtype)
        model.known_rows = CachedRows(self.cache, recorder.source)

    def before_train_epoch(self, runner: Runner) -> None:
        """Open the view of this epoch."""
        self.whole = runner.iter == runner.epoch * len(runner.train_dataloader)  # False if a run resumes within an epoch
        self.cache.open(0 if self.single_view else runner.epoch)

    def after_train_epoch(self, runner: Runner) -> None:
        """Write the collected logits; the first process writes those of all."""
        rank, others = get_rank(), range(1, get_world_size())
        if self.whole and others:
            run = digest([runner.timestamp, runner.work_dir])  # two runs may reach this at the same time
            if rank:
                self.cache.hand_over(f'{run}-{rank}')
            barrier()
            if not rank:
                self.cache.take_over([f'{run}-{other}' for other in others])
        self.cache.close(keep=self.whole and not rank)
        barrier()  # the next view may be this file


def _only_recorder(model: Any) -> Any:
    """The recorder of the teacher's logits."""
    if not hasattr(model, 'known_rows'):
        raise ValueError(
            f'TeacherCacheHook needs a distillation from one teacher, got {type(model).__name__}; '
            "set model.type='icckd_mm.SafeTeacherDistill'"
        )
    recorders = model.distiller.teacher_recorders.recorders
    kinds = {name: type(recorder).__name__ for name, recorder in recorders.items()}
    if list(kinds.values()) != ['ModuleOutputsRecorder']:
        raise ValueError(
            f'TeacherCacheHook keeps the output of one layer, the logits; the distiller records {kinds} of the teacher'
        )
    return next(iter(recorders.values()))


class CachedRows:
    """Reads and stores the rows of a batch, for :meth:`icckd_mm.SafeTeacherDistill.run_teacher`.

    Args:
        cache: The hook opens and closes its views; without an open view nothing is read or stored.
        source: The layer that gives the logits.
    """

    def __init__(self, cache: TeacherCache, source: str) -> None:
        self.cache, self.source = cache, source

    def __deepcopy__(self, memo: dict) -> CachedRows:
        """Return the same object: copies of the model share the cache."""
        return self

    def read(self, inputs: torch.Tensor, samples: list | None) -> torch.Tensor | None:
        """Logits ``(B, C)`` in single precision; None unless those of all images are known."""
        if self.cache.path is None:
            return None
        known = self.cache.read(_index(samples, len(inputs)))
        return None if known is None else known.to(inputs.device, non_blocking=True)

    def write(self, inputs: torch.Tensor, samples: list | None, logits: torch.Tensor) -> None:
        """Collect the logits of a batch."""
        if logits.ndim != 2:
            raise ValueError(f'{self.source} gives {tuple(logits.shape)}; TeacherCacheHook keeps logits (B, C) only')
        if self.cache.path is not None:
            self.cache.write(_index(samples, len(inputs)), logits)


def _index(data_samples: list | None, rows: int) -> list[int]:
    index = [sample.get('sample_idx', -1) for sample in data_samples or []]
    if len(index) != rows or -1 in index:
        raise ValueError(
            f'TeacherCacheHook needs one view of each image and its sample_idx, got {rows} rows for {len(index)} data samples; '
            "take MultiView out, and leave 'sample_idx' in the meta_keys of PackInputs"
        )
    return index


@torch.no_grad()
def _first_pass(runner: Runner, model: Any, recorder: Any) -> tuple[list[int], int]:
    """Shape of the first image as the teacher gets it, and the number of its logits."""
    batch = model.data_preprocessor(sample_batch(runner), True)
    _index(batch['data_samples'], len(batch['inputs']))
    seen: list[Any] = []
    layer = dict(model.teacher.named_modules())[recorder.source]
    handle = layer.register_forward_hook(lambda _, __, output: seen.append(output))
    model.teacher.eval()  # the loop sets the mode of both models before each epoch
    try:
        model.teacher(batch['inputs'], batch['data_samples'], mode='tensor')
    finally:
        handle.remove()
    shape = [tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__ for output in seen]
    if [len(one) if isinstance(one, tuple) else one for one in shape] != [2]:
        raise ValueError(f'{recorder.source} gives {shape}; TeacherCacheHook keeps logits (B, C) only')
    return list(batch['inputs'].shape[1:]), int(shape[0][1])


def _random_steps(pipeline: Any) -> set[str]:
    return {step['type'].rpartition('.')[2] for step in pipeline} - FIXED
