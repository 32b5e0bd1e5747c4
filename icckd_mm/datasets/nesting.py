"""What lies inside of wrappers such as ``ClassMap``, ``RepeatDataset`` or ``RepeatableDataset``."""

from __future__ import annotations

from typing import Any


def innermost_config(config: Any) -> Any:
    """The config of the data set itself, with its pipeline; the object that was given, not a copy."""
    while 'dataset' in config:
        config = config['dataset']
    return config


def innermost_dataset(dataset: Any) -> Any:
    """The data set itself, in which ``sample_idx`` counts."""
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return dataset
