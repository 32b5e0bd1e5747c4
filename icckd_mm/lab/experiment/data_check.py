"""Looks at some images of each data set of a plan before its first run."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

from icckd_mm.config.loss_place import loss_config
from icckd_mm.config.schema import LOADERS
from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.recipe import Recipe, read_config_once


def check_data(runs: Iterable[Run], strict: bool) -> list[str]:
    """Build each data set once and make a batch of it, so that not every run has to fail by itself.

    Args:
        runs: The runs of a plan that are still to do.
        strict: Whether a warning is an error.

    Returns:
        Warnings: training and test images of different size, and heads with more classes than the data.

    Raises:
        ValueError: If a data set is missing, cannot be read or gives no batch; with ``strict`` also for a warning.
    """
    warnings: dict[str, None] = {}
    seen: set[str] = set()
    for recipe in _different(runs):
        cfg = copy.deepcopy(read_config_once(recipe.config))
        cfg.merge_from_dict(_about_data(recipe))
        text = json.dumps([cfg.get(field) for field in LOADERS] + _heads(cfg), sort_keys=True, default=str)
        if text in seen:
            continue
        seen.add(text)
        for warning in _checked(cfg, f'data {recipe.factors["data"]!r} ({recipe.config})'):
            if strict:
                raise ValueError(f'{warning}; strict_data=False in the plan allows it')
            warnings[warning] = None
    return list(warnings)


def _different(runs: Iterable[Run]) -> list[Recipe]:
    """One recipe for each config and choice of data."""
    found = {(run.recipe.config, repr(_about_data(run.recipe))): run.recipe for run in runs}
    return list(found.values())


def _about_data(recipe: Recipe) -> dict[str, Any]:
    """The options on data sets and classes."""
    about = {
        key: value for key, value in recipe.options.items() if key.split('.')[0] in LOADERS or key.endswith('.num_classes')
    }
    return copy.deepcopy(about)  # mmengine removes _delete_ from merged values


def _heads(cfg: Any) -> list[Any]:
    return [loss_config(part).get('num_classes') for part in (cfg.model, cfg.model.get('architecture') or {})]


def _checked(cfg: Any, origin: str) -> list[str]:
    """Warnings about one choice of data."""
    from mmengine.registry import DefaultScope  # heavy
    from mmengine.runner import Runner

    from icckd_mm.config.command_line import set_loader_defaults
    from icckd_mm.config.errors import describe
    from icckd_mm.datasets.files.folders import check_data_folder
    from icckd_mm.engine.image_checks import different_classes, different_sizes, image_batch

    set_loader_defaults(cfg, LOADERS, pin_memory=False, persistent_workers=False)
    batches: dict[str, tuple[str, dict]] = {}
    warnings: list[str | None] = []
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        for field in filter(cfg.get, LOADERS):
            dataset = json.dumps(cfg[field].dataset, sort_keys=True, default=str)
            if dataset in [known for known, _ in batches.values()]:  # validation and test are often the same
                continue
            try:
                check_data_folder(cfg[field].dataset)
                loader = Runner.build_dataloader(cfg[field], seed=0)
                batches[field] = dataset, image_batch(loader, field)
                warnings += [different_classes(cfg.model, loader.dataset)] if field == LOADERS[0] else []
            except Exception as error:  # each data set has errors of its own
                reason = describe(error)
                raise ValueError(f'{origin}: {reason if field in reason else f"{field}: {reason}"}') from error
    first = batches.pop(LOADERS[0], None)
    warnings += [different_sizes(first[1], batch) for _, batch in batches.values()] if first else []
    return [f'{origin}: {warning}' for warning in dict.fromkeys(filter(None, warnings))]
