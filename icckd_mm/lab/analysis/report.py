"""Writes an HTML page about some runs that can be opened offline."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from icckd_mm.lab.analysis.figures import Drawn
from icckd_mm.lab.analysis.run import AnalysedRun
from icckd_mm.lab.measures.calibration import calibration
from icckd_mm.lab.measures.soft_labels import soft_labels
from icckd_mm.lab.page import Block, page
from icckd_mm.version import __version__
from icckd_mm.zoo.meta import mmengine_of

TITLES = {
    'curves': 'Training curves',
    'features': 'Feature spaces',
    'soft_labels': 'Soft labels',
    'spread': 'Spread of soft labels',
    'logit_difference': 'Student minus teacher',
    'calibration': 'Calibration',
}


def report(runs: Sequence[AnalysedRun], figures: Iterable[Drawn], temperature: float = 4.0) -> str:
    """The HTML page: settings, seeds, versions, accuracies, figures, full configs.

    Args:
        runs: The runs.
        figures: From :func:`icckd_mm.lab.analysis.figures.drawn`.
        temperature: Temperature of the soft labels in the table of results. Defaults to 4.0.

    Returns:
        HTML that loads no other files.
    """
    names = [run.name for run in runs]
    blocks = [
        Block(
            'Results',
            'Accuracies were logged in validation; the other values are those of the checkpoint on its test split.',
            _table(names, [results(run, temperature) for run in runs]),
        ),
        Block('Settings', '', _table(names, [settings(run) for run in runs])),
    ]
    for drawn in figures:
        text = drawn.caption if drawn.figure is not None else f'Nothing to draw. {drawn.caption}'
        blocks.append(Block(TITLES[drawn.name], text, figure=drawn.figure, file=drawn.name))
    blocks.append(Block('Configs', '', details=tuple((run.name, run.network.config.pretty_text) for run in runs)))
    return page('Runs: ' + ', '.join(names), blocks)


def results(run: AnalysedRun, temperature: float = 4.0) -> dict[str, str]:
    """The numbers of a run, as text with units.

    Args:
        run: The run.
        temperature: Temperature of the soft labels. Defaults to 4.0.

    Returns:
        Description and value.
    """
    space = run.space
    found = {}
    logged = run.log.curves.get('accuracy/top1')
    if logged is not None:
        times, values = logged
        best = int(values.argmax())
        found['top-1, last validation / %'] = f'{values[-1]:.2f} ({run.log.unit} {times[-1]:g})'
        found['top-1, best validation / %'] = f'{values[best]:.2f} ({run.log.unit} {times[best]:g})'
    found['top-1, this checkpoint on the test split / %'] = f'{space.accuracy:.2f} ({len(space.labels)} images)'
    found['expected calibration error / %'] = f'{100 * calibration(space.logits, space.labels).ece:.2f}'
    for name, value in space.geometry.items():
        found[f'features: {name}{"" if name == "ratio" else " distance (1 - cosine)"}'] = f'{value:.4f}'
    spread = soft_labels(space.logits, space.labels, temperature).spread.nanmean()
    found[f'spread of soft labels in a class, temperature {temperature:g}'] = f'{float(spread):.4f}'
    return found


def settings(run: AnalysedRun) -> dict[str, str]:
    """Settings and versions of a run.

    Args:
        run: The run.

    Returns:
        Description and value.
    """
    network = run.network
    cfg, meta = network.config, network.meta
    plan, loader = cfg.get('train_cfg') or {}, cfg.get('train_dataloader') or {}
    found: dict[str, Any] = {
        'checkpoint': network.checkpoint.name,
        'written': meta.get('time', 'unknown'),
        'network': ('student: ' if network.distilled else '') + _short(network.model['backbone']),
        'teacher': _short((cfg.model.get('teacher') or {}).get('backbone')),
        "teacher's checkpoint": cfg.model.get('teacher_ckpt'),
        'distillation losses': _short((cfg.model.get('distiller') or {}).get('distill_losses')),
        'intra-class contrast': _short(
            next((h for h in cfg.get('custom_hooks') or [] if 'IntraClassContrast' in str(h['type'])), None)
        ),
        'data': _short({k: v for k, v in (loader.get('dataset') or {}).items() if k != 'pipeline'}),
        'trained': f'{meta.get("epoch", "?")} of {plan.get("max_epochs", "?")} epochs, {meta.get("iter", "?")} iterations',
        'batch size per process': loader.get('batch_size'),
        'optimizer': _short((cfg.get('optim_wrapper') or {}).get('optimizer')),
        'seed': meta.get('seed', 'unknown'),
        'deterministic': (cfg.get('randomness') or {}).get('deterministic', False),
        'mmengine of the run': mmengine_of(meta),
        'this page': f'icckd_mm {__version__}, torch {torch.__version__}, Python {platform.python_version()}',
    }
    return {name: str(value) for name, value in found.items() if value not in (None, '', {})}


def _short(config: Any) -> str:
    """A part of a config on one line."""
    if not config:
        return ''
    if not isinstance(config, dict):
        return str(config)
    inside = [f'{key}={_short(value) if isinstance(value, dict) else value}' for key, value in config.items() if key != 'type']
    return f'{str(config.get("type", "")).rpartition(".")[2]}({", ".join(inside)})'


def _table(names: Sequence[str], columns: Sequence[dict[str, str]]) -> tuple[tuple[str, ...], ...]:
    """One column per run, one row per entry of at least one of them."""
    rows = dict.fromkeys(key for column in columns for key in column)
    return (('', *names), *((row, *(column.get(row, '-') for column in columns)) for row in rows))
