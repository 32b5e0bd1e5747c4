"""Cost of a teacher's training step by second view, against cross-entropy only, both in mmengine's runner."""

from __future__ import annotations

import tempfile
from typing import Any

from benchmarks.measure import Setting, aim, measure
from benchmarks.runs import classifier_run, runner_case
from icckd_mm.teacher.second_views import SECOND_VIEWS
from icckd_mm.zoo.architectures import classifier_config

MOST = {'bank': 1.03, 'no_grad': 1.36, 'grad': 2.05}


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One table per network."""
    return [_table(arch, setting) for arch in (['resnet8'] if setting.quick else ['resnet8x4', 'resnet32x4'])]


def _table(arch: str, setting: Setting) -> dict[str, Any]:
    batch = 8 if setting.quick else 64
    steps = 1 if setting.device == 'cpu' else 50
    model = classifier_config(arch, 100)
    hook = dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', margin=-1.0))
    with tempfile.TemporaryDirectory() as folder:
        cases = {}
        for name in ('cross-entropy', *SECOND_VIEWS):
            hooks = [] if name == 'cross-entropy' else [dict(hook, second_view=name)]
            views = 1 if name == 'cross-entropy' else SECOND_VIEWS[name].loader_views
            config = classifier_run(model, batch * steps, hooks, views)
            cases[name] = runner_case(config, folder, batch, steps, setting.device)
        table = measure(f'Teacher step, {arch}, B={batch}', cases, setting, rounds=8)
    for name, most in MOST.items():
        aim(table, f"second_view='{name}' / cross-entropy", table['rows'][name]['ratio'], most)
    return table
