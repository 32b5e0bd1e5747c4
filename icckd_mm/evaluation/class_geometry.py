"""An mmengine metric of the distances within and between classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.evaluator import BaseMetric

from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.registry import METRICS

from .class_sums import ClassSums, check_table
from .predictions import class_labels, soften, stacked

SOURCES = ('soft_labels', 'features')


@METRICS.register_module()
class ClassGeometry(BaseMetric):
    """:func:`icckd_mm.functional.class_geometry` of a classifier's soft labels or features over a whole data set.

    Gives ``soft_labels/intra``, ``soft_labels/inter`` and ``soft_labels/ratio`` (or ``features/…``), which do not depend on
    the batch size and keep one row per class in memory, at most 1 GiB (soft labels of 11,585 classes). An image that a sampler
    repeats to give all processes the same number counts once; like mmengine's own metrics this needs the order of
    ``DefaultSampler``, which deals images to ranks in turn.

    Soft labels come from ``pred_score``. Features need :class:`icckd_mm.PredictedFeaturesHook` among the ``custom_hooks``,
    since a metric does not see the model.

    Args:
        source: ``'soft_labels'`` or ``'features'``. Defaults to ``'soft_labels'``.
        temperature: Temperature of the soft labels; not used for features. Defaults to 4.0, that of our KD configs.
        collect_device: ``'cpu'`` or ``'gpu'``, as for every metric of mmengine. Defaults to ``'cpu'``.
        prefix: Prefix of the names of the results. Defaults to None: the source.

    Raises:
        ValueError: If an argument is out of range, the table of classes too large, or a field missing in the predictions.

    Source: soft labels at a temperature are Hinton et al. 2015, arXiv 1503.02531; measuring them like features is ours.
    """

    def __init__(
        self,
        source: str = 'soft_labels',
        temperature: float = 4.0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        if source not in SOURCES:
            raise ValueError(f'source must be one of {", ".join(SOURCES)}, got {source!r}')
        check_positive('temperature', temperature)
        super().__init__(collect_device=collect_device, prefix=prefix or source)
        self.source, self.temperature = source, float(temperature)
        self.sums: ClassSums | None = None
        self.last = torch.empty(0), torch.empty(0)

    @property
    def dataset_meta(self) -> dict | None:
        """What the data set says about itself."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        """Set by mmengine before the first step; soft labels of very many classes are refused here."""
        classes = (dataset_meta or {}).get('classes') or ()
        if self.source == 'soft_labels':
            check_table(len(classes), len(classes))
        self._dataset_meta = dataset_meta

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add a batch.

        Args:
            data_batch: Not used.
            data_samples: With ``gt_label`` and ``pred_score``, and ``features`` if these are the source.
        """
        scores = stacked(data_samples, 'pred_score', 'ClassGeometry measures classifiers')
        labels = class_labels(data_samples, scores.size(1))
        if self.source == 'features':
            advice = "add dict(type='icckd_mm.PredictedFeaturesHook') to custom_hooks"
            rows = stacked(data_samples, 'features', advice)
        else:
            rows = soften(scores, self.temperature)
        if self.sums is None:
            self.sums = ClassSums(scores.size(1), rows.size(1))
            self.last = rows[:0], labels[:0]
        rows, labels = torch.cat([self.last[0], rows]), torch.cat([self.last[1], labels])
        self.sums.add(rows[:-1], labels[:-1])
        self.last = rows[-1:], labels[-1:]  # it may be a repeated image, known only by the size of the data set

    def evaluate(self, size: int) -> dict[str, float]:
        """The geometry over all processes.

        Args:
            size: Number of images of the data set.

        Returns:
            The metrics, the same in every process.

        Raises:
            ValueError: If this process saw more images than repetition by ``DefaultSampler`` explains.
        """
        if self.sums is not None:
            seen = int(self.sums.counts.sum()) + 1
            own = len(range(get_rank(), size, get_world_size()))  # the images that collect_results would keep
            if seen > own + 1:
                raise ValueError(
                    f'ClassGeometry saw {seen} images on rank {get_rank()} of {get_world_size()}, whose share of {size} is '
                    f"{own}; use sampler=dict(type='DefaultSampler', shuffle=False) in the data loader"
                )
            if seen <= own:
                self.sums.add(*self.last)
        self.results = [(self.sums,)]  # in a tuple: collect_results drops None
        self.sums = None  # the next evaluation starts afresh
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Merge the results of all processes.

        Args:
            results: From each process a tuple of its :class:`ClassSums`, or of None if it saw nothing.

        Returns:
            ``intra``, ``inter``, ``ratio``.

        Raises:
            ValueError: If no process saw an image.
        """
        seen = [sums for (sums,) in results if sums is not None]
        if not seen:
            raise ValueError('ClassGeometry saw no image; the data loader of the validation is empty')
        total = ClassSums(*seen[0].sums.shape)
        for sums in seen:
            total.merge(sums)
        return total.geometry()
