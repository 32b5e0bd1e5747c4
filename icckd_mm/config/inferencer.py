"""mmengine's ``BaseInferencer(weights=FILE)`` builds whatever the config in the file names.

Applies: always, to inferencers that are given weights and no config.
Changes: of that config only what a network and its test data are made of is used, and of it only registered classes, see
:func:`icckd_mm.config.registered.check_registered`. A config that the user names is built as before.
Upstream: none known.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from icckd_mm.compat.import_hook import on_import

ADVICE = 'name a config that you trust as model=, beside weights='


def install() -> None:
    """Guards the constructor of inferencers, as soon as mmengine's module of them is imported."""
    on_import('mmengine.infer.infer', after=_guard)


def _guard(module: ModuleType) -> None:
    original = module.BaseInferencer._init_model
    if getattr(original, 'reads_registered_only', False):
        return

    @functools.wraps(original)
    def init_model(self: Any, cfg: Any, weights: Any, device: str = 'cpu') -> Any:
        if cfg or weights is None:
            return original(self, cfg, weights, device)
        return _build_from_file(functools.partial(original, self), cfg, weights, device)

    vars(init_model)['reads_registered_only'] = True
    module.BaseInferencer._init_model = init_model


def _build_from_file(original: Callable[..., Any], cfg: Any, weights: Any, device: str) -> Any:
    from mmengine.config import Config
    from mmengine.runner.checkpoint import _load_checkpoint

    from icckd_mm.config.building import bounds_of, only_registered
    from icckd_mm.config.registered import PARTS, check_registered

    checkpoint = _load_checkpoint(weights, map_location='cpu')
    given = _config_in(checkpoint, str(weights))
    try:
        checked = check_registered({key: given[key] for key in PARTS if key in given}, str(weights))
    except ValueError as error:
        raise ValueError(f'{error}; or {ADVICE}') from None
    cfg.update(Config(checked)._cfg_dict)
    with only_registered(), bounds_of(checkpoint.get('state_dict', checkpoint)):
        return original(cfg, weights, device)


def _config_in(checkpoint: Mapping[str, Any], name: str) -> Any:
    """The config in a checkpoint, where mmengine looks for it."""
    from icckd_mm.compat.checkpoints.config_text import parse_config_text

    hub, meta = checkpoint.get('message_hub'), checkpoint.get('meta')
    info = hub.get('runtime_info') if isinstance(hub, dict) else None
    for place in (info, meta):
        if isinstance(place, dict) and isinstance(place.get('cfg'), str):
            config = parse_config_text(place['cfg']).to_dict()
            if isinstance(config.get('model'), dict):
                return config
    raise ValueError(f'{name} does not hold the config of a network (meta.cfg); {ADVICE}')
