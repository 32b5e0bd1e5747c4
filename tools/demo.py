#!/usr/bin/env python
"""Train two teachers on handwritten digits, distil a student from each, and compare them, in a few minutes."""

from __future__ import annotations

import argparse
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmengine.config import Config

from icckd_mm.config.command_line import run

RUNS = {
    'teacher, cross-entropy': 'baseline/ce_resnet20_1xb64_digits',
    'teacher, intra-class contrastive': 'teacher/icc_resnet20_1xb64_digits',
    'student alone': 'baseline/ce_resnet8_1xb64_digits',
    'student of the CE teacher': 'distill/kd_logits_resnet20_resnet8_1xb64_digits',
    'student of the ICC teacher': 'distill/icckd-kd_logits_resnet20_resnet8_1xb64_digits',
}
TEACHERS = tuple(RUNS)[:2]
OUT = Path('work_dirs/demo')
VALIDATION = re.compile(r'Epoch\(val\) +\[(\d+)\].* accuracy/top1: ([\d.]+)')


def main(argv: Sequence[str] | None = None) -> None:
    """Run the demo from the root of the repository.

    Args:
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--epochs', type=int, help='epochs of each run (default: those of the configs)')
    args = parser.parse_args(argv)
    start = time.time()
    OUT.mkdir(parents=True, exist_ok=True)
    accuracy = {title: train(index, title, args.epochs) for index, title in enumerate(RUNS, 1)}
    report(accuracy, args.epochs)
    print(f'The demo took {time.time() - start:.0f} s.')


def train(index: int, title: str, epochs: int | None) -> float:
    """Run one training command, show its progress, and return the accuracy of its last epoch."""
    command = ['tools/train.py', str(config(title))]
    options = [] if epochs is None else [f'train_cfg.max_epochs={epochs}', f'param_scheduler.T_max={epochs}']
    if epochs is not None and 'distill/' in RUNS[title]:
        options.append(f'model.teacher_ckpt={checkpoint(TEACHERS["icckd-kd" in RUNS[title]], epochs)}')
    command += ['--cfg-options', *options] if options else []
    print(f'\n[{index}/{len(RUNS)}] {title}\n$ python {" ".join(command)}', flush=True)
    log = OUT / f'{config(title).stem}.log'
    total = epochs or Config.fromfile(config(title)).train_cfg.max_epochs
    result = 0.0
    start = time.time()
    with open(log, 'w', encoding='utf-8') as file, child([sys.executable, *command]) as process:
        for line in process.stdout:
            file.write(line)
            found = VALIDATION.search(line)
            if found:
                epoch, result = int(found[1]), float(found[2])
                left = (time.time() - start) / epoch * (total - epoch)
                end = '\r' if sys.stdout.isatty() and epoch < total else '\n'
                if sys.stdout.isatty() or epoch % 5 == 0 or epoch == total:
                    print(f'  epoch {epoch:2d}/{total}  top-1 {result:6.2f} %  time left {left:3.0f} s', end=end, flush=True)
    if process.wait():
        sys.exit(f'error: the command above failed; the end of {log}:\n{"".join(log.read_text().splitlines(True)[-15:])}')
    return result


@contextlib.contextmanager
def child(command: list[str]) -> Iterator[subprocess.Popen]:
    """A process that ends with this block."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if sys.exc_info()[0] is not None:
            process.terminate()
        process.wait()


def config(title: str) -> Path:
    return Path('configs/icckd') / f'{RUNS[title]}.py'


def checkpoint(title: str, epochs: int | None) -> Path:
    last = epochs or Config.fromfile(config(title)).train_cfg.max_epochs
    return Path('work_dirs') / config(title).stem / f'epoch_{last}.pth'


def report(accuracy: dict[str, float], epochs: int | None) -> None:
    """Print the table and draw the teachers' feature spaces."""
    from icckd_mm.lab.analysis.feature_figures import plot_feature_spaces
    from icckd_mm.lab.analysis.feature_space import feature_space  # heavy: imported after the first output

    hook = Config.fromfile(config(TEACHERS[1])).custom_hooks[0]
    margin = hook.loss.get('margin', 0.5)
    spaces = {title: feature_space(str(config(title)), str(checkpoint(title, epochs))) for title in TEACHERS}
    lines = [
        f'| | top-1 % | margin > {margin} % | intra | inter | ratio |',
        '|---|---|---|---|---|---|',
    ]
    for title, value in accuracy.items():
        cells = ['', '', '', '']
        if title in spaces:
            geometry = spaces[title].geometry
            cells = [
                f'{100 * spaces[title].pass_share(margin):.1f}',
                *(f'{geometry[k]:.3f}' for k in ('intra', 'inter', 'ratio')),
            ]
        lines.append(f'| {title} | {value:.2f} | {" | ".join(cells)} |')
    table = '\n'.join(lines)
    (OUT / 'table.md').write_text(table + '\n', encoding='utf-8')
    plot_feature_spaces(spaces, OUT / 'feature_spaces.png')
    print(f'\n{table}\n')
    print('360 test images, last epoch, one seed. One seed on a small set proves nothing: an image is 0.28 points.')
    print(f'Feature spaces of the two teachers: {OUT / "feature_spaces.png"}')


if __name__ == '__main__':
    run(main)
