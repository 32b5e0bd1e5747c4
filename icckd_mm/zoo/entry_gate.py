"""Checks a published folder before another process uses it: its config is a program, its weights a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from torch import Tensor

from icckd_mm.compat.checkpoints.config_text import parse_config_text
from icckd_mm.compat.safe_load import load_checkpoint_safely
from icckd_mm.config.building import build_classifier
from icckd_mm.config.registered import check_registered
from icckd_mm.nested_text import parse_yaml
from icckd_mm.plain_text import plain

from .image_list import check_carried
from .meta import LARGEST_METRIC

LARGEST_TEXT, LARGEST_IMAGE = 1_000_000, 2048


def refused_before_use(folder: Path) -> tuple[str, bool, str] | None:
    """The check that a folder fails before any of its files is used; None if it passes.

    The config must be literals that build registered classes, and the weights must be a plain checkpoint. ``get_model`` then
    executes a file that only assigns values, and builds the network that was built here.

    Args:
        folder: A folder written by :func:`icckd_mm.zoo.publish.publish`.

    Raises:
        ValueError: If it has no ``metafile.yml`` of one model.
    """
    weights, config = _named_files(folder)
    what = 'safe loading'
    try:
        content = load_checkpoint_safely(weights, map_location='cpu')
        state = content.get('state_dict') if isinstance(content, dict) else None
        if not isinstance(state, dict):
            raise ValueError(f'{weights.name} holds no state_dict')
        what = 'config'
        checked = _checked_config(config)
        check_carried((checked.get('test_dataloader') or {}).get('dataset') or {}, folder)
        build_classifier(checked['model'], {name: one for name, one in state.items() if isinstance(one, Tensor)})
    except Exception as error:
        return what, False, plain(f'{type(error).__name__}: {error}', 1000)
    return None


def _named_files(folder: Path) -> tuple[Path, Path]:
    """Weights and config of a folder; of a path in its metafile only the last part is used."""
    metafile = folder / 'metafile.yml'
    if not metafile.is_file():
        raise ValueError(f'{folder} has no metafile.yml; it was not written by publish.py')
    try:
        (entry,) = parse_yaml(_text(metafile))['Models']
        size, channels = entry['Metadata']['Image Size'], entry['Metadata'].get('Image Channels', 3)
        sides = size if isinstance(size, list) and len(size) == 2 else [size]
        if not all(type(one) is int and 1 <= one <= LARGEST_IMAGE for one in [*sides, channels]):
            raise ValueError('Image Size')
        for result in entry.get('Results') or []:
            if not all(type(value) in (int, float) and abs(value) <= LARGEST_METRIC for value in result['Metrics'].values()):
                raise ValueError('Metrics')  # nan is not below anything
        return folder / Path(entry['Weights']).name, folder / Path(entry['Config']).name
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise ValueError(f'{metafile} does not describe one model; publish the run again') from None


def _checked_config(path: Path) -> dict[str, Any]:
    text = _text(path)
    if '{{' in text:  # mmengine inserts names of folders and environment variables there
        raise ValueError(f'{path.name} contains a variable, {{{{ }}}}; a published config holds values only')
    try:
        config = parse_config_text(text).to_dict()
    except ValueError as error:
        raise ValueError(f'{path.name} is not a published config: {error}') from None
    return check_registered(config, path.name)


def _text(path: Path) -> str:
    if not path.is_file():  # also refuses a pipe, which would never end
        raise FileNotFoundError(f'{path.name} does not exist')
    if path.stat().st_size > LARGEST_TEXT:
        raise ValueError(f'{path.name} has more than {LARGEST_TEXT} bytes')
    return path.read_text(encoding='utf-8')
