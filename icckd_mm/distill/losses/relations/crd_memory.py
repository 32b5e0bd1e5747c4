"""The memory of contrastive representation distillation, and its draw of negatives."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from icckd_mm.functional.tensor.gather import all_gather_rows
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.functional.tensor.numerics import unit_rows
from icckd_mm.structures import PreparedSamples, labels_of, places_of


class CRDMemory(nn.Module):
    """A row of the student and of the teacher for each image, and its label; saved in the checkpoint.

    Args:
        sample_n: Images.
        dim_out: Width of a row.
        momentum: Share of the old row in an update, in ``[0, 1)``.

    Raises:
        ValueError: If an argument is out of range.
    """

    student: Tensor
    teacher: Tensor
    labels: Tensor
    rows_of = 'CRDLoss'  # modules that need a row for each index of the training set, see DataCheckHook

    def __init__(self, sample_n: int, dim_out: int, momentum: float) -> None:
        super().__init__()
        check_count('sample_n', sample_n)
        check_count('dim_out', dim_out)
        if not 0 <= momentum < 1:
            raise ValueError(f'momentum must lie in [0, 1), got {momentum!r}; 0.5 is the default')
        self.momentum = momentum
        bound = (3 / dim_out) ** 0.5  # rows of about length 1
        self.register_buffer('student', torch.empty(sample_n, dim_out).uniform_(-bound, bound))
        self.register_buffer('teacher', torch.empty(sample_n, dim_out).uniform_(-bound, bound))
        self.register_buffer('labels', torch.full((sample_n,), -1))  # -1: not seen yet, so a negative of every class

    @torch.compiler.disable  # the indices would become constants of the graph, which would recompile for every batch
    def read(self, data_samples: list[Any], device: torch.device) -> tuple[Tensor, Tensor]:
        """Index and label of each image.

        Args:
            data_samples: As ``PackInputs`` makes them.
            device: Device of the result.

        Returns:
            Each ``(B,)``.

        Raises:
            ValueError: If an index is missing or out of range.
        """
        if isinstance(data_samples, PreparedSamples):
            _check_single_classes(data_samples[:1])
            self.check_rows(data_samples.num_images)
            return data_samples.places, data_samples.labels
        missing = [sample for sample in data_samples if 'sample_idx' not in sample or 'gt_label' not in sample]
        if missing:
            raise ValueError(
                "CRDLoss needs sample_idx and gt_label in each data sample; dict(type='PackInputs') puts them there"
            )
        _check_single_classes(data_samples)
        index = [int(sample.sample_idx) for sample in data_samples]
        if index and not 0 <= min(index) <= max(index) < len(self.labels):
            raise ValueError(
                f'sample_idx runs from {min(index)} to {max(index)}, sample_n={len(self.labels)}; set it to the size'
            )
        return places_of(data_samples, device), labels_of(data_samples).to(device, non_blocking=True)

    def check_rows(self, places: int) -> None:
        """Refuse a training set with more indices than rows."""
        if places > len(self.labels):
            raise ValueError(
                f'CRDLoss has {len(self.labels)} rows for {places} indices of the training set; set sample_n={places}'
            )

    def learn_labels(self, index: Tensor, labels: Tensor) -> None:
        """Store the labels of images, of all processes.

        Args:
            index: Images ``(B,)``.
            labels: Their classes ``(B,)``.
        """
        self.labels[all_gather_rows(index)] = all_gather_rows(labels)

    def write(self, index: Tensor, student: Tensor, teacher: Tensor) -> None:
        """Update rows with new ones, of all processes.

        Args:
            index: Images ``(B,)``.
            student: Unit rows ``(B, D)``.
            teacher: Unit rows ``(B, D)``.
        """
        index = all_gather_rows(index)
        for memory, rows in ((self.student, student), (self.teacher, teacher)):
            new = all_gather_rows(rows).to(memory.dtype)
            memory[index] = unit_rows(self.momentum * memory[index] + (1 - self.momentum) * new)


def _check_single_classes(data_samples: list[Any]) -> None:
    if any('gt_score' in sample or len(sample.gt_label) != 1 for sample in data_samples):
        raise ValueError(
            'CRDLoss needs one class for each image; soft, mixed or several labels name no class: remove '
            'train_cfg.augments and to_onehot, or this loss'
        )


def draw_negatives(known: Tensor, labels: Tensor, count: int) -> Tensor:
    """Images of other classes, uniformly and with replacement, by one sort and one draw.

    Args:
        known: Class of each image ``(n,)``.
        labels: Classes ``(B,)``, each of them in ``known``.
        count: Negatives per row.

    Returns:
        Indices ``(B, count)`` into ``known``.

    Raises:
        ValueError: If all images have one class; on a GPU and under ``torch.compile`` this is not checked.
    """
    ordered, order = known.sort()
    first, last = (torch.searchsorted(ordered, labels, right=right) for right in (False, True))
    others = len(known) - (last - first)
    if not torch.compiler.is_compiling() and known.device.type == 'cpu' and len(others) and not others.min():
        raise ValueError('CRDLoss found no image of another class; it needs at least two')
    places = torch.randint(2**62, (len(labels), count), device=known.device) % others[:, None].clamp_min(1)
    return order[places + (places >= first[:, None]) * (last - first)[:, None]]  # skip the image's own class
