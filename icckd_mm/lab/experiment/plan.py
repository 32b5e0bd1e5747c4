"""A plan of an experiment, and its cells."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FACTORS: dict[str, Any] = {  # with their default values
    'data': 'digits',
    'pair': 'resnet20_resnet8',
    'images': None,
    'epochs': None,
    'teacher': 'icc',
    'student': 'kd',
    'loss_weight': 0.02,
    'margin': 0.5,
    'temperature': 0.1,
    'queue_size': 32,
    'in_batch_negatives': True,
    'second_view': 'grad',
    'positive': 'weak',
    'begin': 0,
    'features': 'pooled',
    'finetune_epochs': 20,
    'finetune_lr': 0.01,
    'kl_weight': 0.25,
    'smoothing': 0.1,
    'stop_epoch': None,
}
CONTROLS = ('ce', 'ce-2view', 'alone')
Cell = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A checked plan.

    Attributes:
        name: Letters, digits, ``-`` and ``_``; names the work dir.
        title: Heading of the report, with the data.
        seeds: Seeds of each cell.
        default: Values of all factors, from which the designs vary.
        designs: Each ``dict(type='star' | 'product', factor=[values], ...)``.
        controls: Controls that every cell is compared with: ``'ce'``, ``'ce-2view'``, ``'alone'``.
        networks: Options of the classifiers, ``teacher`` and ``student``, e.g. ``{'backbone.widths': (8, 8, 16, 32)}``.
        options: Further options by the runs they apply to: ``'all'``, ``'teacher'``, ``'student'``, or a method's name.
        datasets: Data sets in addition to those of the configs, by their value of the factor ``data``: ``configs``,
            the data whose configs and augmentation they use; ``train`` and ``test``, data sets without pipeline;
            ``num_classes``; and, if needed, ``data_preprocessor`` with mean and std.
        device_loader: Whether training images are held and augmented on the device, as ``--device-loader`` does.
        strict_data: Whether images of different size in training and test, and a head with more classes than the data,
            stop the plan before its first run; else they give a warning.
        seconds: Expected time of a run, for the estimate before the first has ended.
    """

    name: str
    seeds: tuple[int, ...]
    designs: tuple[dict[str, Any], ...]
    default: Cell = field(default_factory=dict)
    title: str = ''
    controls: tuple[str, ...] = CONTROLS
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    device_loader: bool = False
    strict_data: bool = True
    seconds: float | None = None

    def cells(self) -> list[Cell]:
        """All cells, controls first, without duplicates.

        Returns:
            Values of all factors; the recipes know which of them a teacher uses.
        """
        wanted = list(itertools.chain.from_iterable(_expand(design, self.default) for design in self.designs))
        controls = []
        for cell in wanted:
            for control in self.controls:
                if control != 'alone':
                    controls.append({**cell, 'teacher': control})
                elif cell['student'] != 'none':
                    controls.append({**cell, 'student': 'alone'})
        unique = {repr(sorted(cell.items())): cell for cell in (*controls, *wanted)}
        return list(unique.values())


def _expand(design: Mapping[str, Any], default: Cell) -> list[Cell]:
    factors = {name: values for name, values in design.items() if name != 'type'}
    if design['type'] == 'star':
        return [dict(default)] + [{**default, name: value} for name, values in factors.items() for value in values]
    return [{**default, **dict(zip(factors, values))} for values in itertools.product(*factors.values())]
