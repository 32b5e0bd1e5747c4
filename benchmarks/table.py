"""Hours for the CIFAR-100 table on one device, one run at a time, from a few steps of each config on noise.

One seed of each network with labels, of each ICC teacher, and of each pair with KD, which counts twice: from the CE
teacher and from the ICC teacher. Excludes validation and the start of a run. Only on a GPU; the quick mode uses digits.
"""

from __future__ import annotations

import tempfile
from typing import Any

from mmengine.config import Config

from benchmarks.measure import Setting, measure
from benchmarks.runs import CONFIGS, PIPELINE, TWO_VIEWS, noise, runner_case

RUNS = {'baseline/ce_*': 1, 'teacher/icc_*': 1, 'distill/kd_logits_*': 2}  # number of runs of each config
IMAGES = 50_000


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One table, or none on a CPU."""
    if setting.device == 'cpu' and not setting.quick:
        print('the hours of the CIFAR-100 table need --device cuda; skipped')
        return []
    data, steps = ('resnet8_1xb64_digits', 1) if setting.quick else ('cifar100', 30)
    rows: dict[str, Any] = {}
    hours, runs = 0.0, 0
    paths = {path: times for pattern, times in RUNS.items() for path in sorted((CONFIGS / 'icckd').glob(f'{pattern}{data}.py'))}
    for path, times in paths.items():
        if rows and setting.is_over():
            break
        with tempfile.TemporaryDirectory() as folder:
            config = _prepared(Config.fromfile(path), steps)
            epochs, batch = config.train_cfg.max_epochs, config.train_dataloader.batch_size
            case = runner_case(config, folder, batch, steps, setting.device)
            row = measure('', {path.stem: case}, setting, rounds=2)['rows'][path.stem]
        row['hours'] = epochs * IMAGES / row['images_per_s'] / 3600
        rows[path.stem], hours, runs = row, hours + times * row['hours'], runs + times
    table = {'title': f'Steps of the {data} table, one seed', 'base': next(iter(rows)), 'rows': rows, 'targets': []}
    what = f'{runs} runs of one seed' + ('' if len(rows) == len(paths) else f', {len(rows)} of {len(paths)} configs measured')
    return [{**table, 'hours': hours, 'notes': [f'{hours:.1f} hours for {what}']}]


def _prepared(config: Any, steps: int) -> Any:
    """The config on noise, its teacher random."""
    images = steps * config.train_dataloader.batch_size
    if 'distill' in str(config.filename):
        config.model.update(teacher_ckpt=None, allow_random_teacher=True)
    if 'digits' in str(config.filename):
        config.train_dataloader.dataset.indices = images
    else:
        views = 2 if 'teacher/' in str(config.filename) else 1
        config.train_dataloader.dataset = noise(images, TWO_VIEWS if views == 2 else PIPELINE)
    return config
