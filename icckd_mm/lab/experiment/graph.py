"""The runs of a plan, without duplicates, named by a hash of everything that determines them."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.overrides import configs_of, with_overrides
from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.experiment.recipe import Recipe, read_config_once
from icckd_mm.lab.experiment.recipes import recipes


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        name: ``STAGE_METHOD_seedNN_HASH``; the hash is of config, options, seed, code, and the name of the parent.
        recipe: Its config and options.
        seed: Seed.
        epochs: Number of epochs; its last checkpoint is ``epoch_N.pth``.
        parent: Name of the run from whose last checkpoint it starts.
        device_loader: Whether :class:`icckd_mm.DeviceLoader` loads its training images.
    """

    name: str
    recipe: Recipe
    seed: int
    epochs: int
    parent: str | None = None
    device_loader: bool = False

    def options_with(self, checkpoint: str | None) -> dict[str, Any]:
        """The complete ``--cfg-options``, given the parent's checkpoint."""
        options = copy.deepcopy(self.recipe.options)  # mmengine removes _delete_ from merged values
        return options if checkpoint is None else {**options, self.recipe.parent_key: checkpoint}


def build_graph(plan: Plan) -> dict[str, Run]:
    """All runs of a plan, seed by seed and parents before children: a plan that is cut short has whole seeds.

    Args:
        plan: The plan.

    Returns:
        The runs by name. Equal runs of several cells, such as the teacher of several students, are merged.

    Raises:
        ValueError: If a cell has no config, or an option is not valid for its config.
    """
    graph: dict[str, Run] = {}
    resolved: dict[str, tuple[str, int]] = {}  # by recipe
    checked: set[tuple[str, tuple[str, ...]]] = set()
    for cell in plan.cells():
        chain = [with_overrides(plan, cell, recipe) for recipe in recipes({**cell, 'data': configs_of(plan, cell['data'])})]
        for recipe in chain:
            if repr(recipe) not in resolved:
                resolved[repr(recipe)] = _resolve(plan, recipe, checked)
        for seed in plan.seeds:
            names: dict[str, str] = {}
            for recipe in chain:
                text, epochs = resolved[repr(recipe)]
                parent = names[repr(recipe.parent)] if recipe.parent else None
                digest = hashlib.blake2b(repr((text, seed, parent, code_version())).encode(), digest_size=6).hexdigest()
                name = names[repr(recipe)] = f'{recipe.stage}_{_label(recipe)}_seed{seed:02d}_{digest}'
                graph.setdefault(name, Run(name, recipe, seed, epochs, parent, plan.device_loader))
    places = {'all', 'teacher', 'student', *(run.recipe.method for run in graph.values())}
    for place in plan.options:
        if place not in places:
            raise ValueError(f'{plan.name}: options for {place!r} match no run; there are {", ".join(sorted(places))}')
    return dict(sorted(graph.items(), key=lambda item: item[1].seed))  # stable: parents stay before children


def needed(graph: dict[str, Run], finished: set[str], kept: set[str]) -> list[Run]:
    """The runs still to do, parents before children.

    Args:
        graph: All runs.
        finished: Names of those with a result.
        kept: Names of those whose last checkpoint exists.

    Returns:
        Those without a result, and finished parents whose checkpoint is needed but missing.
    """
    todo = {name for name in graph if name not in finished}
    for run in reversed(list(graph.values())):  # children before parents
        if run.name in todo and run.parent and run.parent not in kept:
            todo.add(run.parent)
    return [run for run in graph.values() if run.name in todo]


def levels(runs: list[Run]) -> list[list[Run]]:
    """Runs in groups: each needs only runs of earlier groups, or none of ``runs``."""
    depth: dict[str, int] = {}
    for run in runs:
        depth[run.name] = depth[run.parent] + 1 if run.parent in depth else 0
    return [[run for run in runs if depth[run.name] == level] for level in range(max(depth.values(), default=-1) + 1)]


def _label(recipe: Recipe) -> str:
    teacher = recipe.factors.get('teacher')
    return recipe.method if recipe.stage == 'teacher' or teacher is None else f'{recipe.method}_{teacher}'


def _resolve(plan: Plan, recipe: Recipe, checked: set[tuple[str, tuple[str, ...]]]) -> tuple[str, int]:
    """The text of a config after its options, and its epochs."""
    from icckd_mm.config.device_loader import use_device_loader  # heavy
    from icckd_mm.config.options import apply_options

    cfg = copy.deepcopy(read_config_once(recipe.config))
    options = copy.deepcopy(recipe.options)  # mmengine removes _delete_ from merged values
    signature = (recipe.config, tuple(sorted(options)))
    try:
        if signature in checked:
            cfg.merge_from_dict(options)
        else:  # one slow check per set of keys; each worker checks its values
            apply_options(cfg, options)
            checked.add(signature)
    except ValueError as error:
        raise ValueError(f'{plan.name}: {recipe.config}: {error}') from None
    if recipe.parent_key:
        cfg.merge_from_dict({recipe.parent_key: None})  # the parent's name represents it
    if plan.device_loader:
        try:
            use_device_loader(cfg)
        except ValueError as error:
            raise ValueError(f'{plan.name}: device_loader: {recipe.config}: {error}') from None
    epochs, begin = int(cfg.train_cfg.max_epochs), recipe.factors.get('begin', 0)
    if recipe.stage == 'teacher' and isinstance(begin, int) and begin >= epochs > 0:
        raise ValueError(
            f'{plan.name}: begin must be an epoch of the training, from 0, got {begin}; {recipe.config} trains for {epochs}'
        )
    return json.dumps(cfg.to_dict(), sort_keys=True, default=str), epochs
