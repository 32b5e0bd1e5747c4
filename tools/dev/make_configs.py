#!/usr/bin/env python
"""Write the configs of the benchmark, data set by data set and pair by pair, and the commands in docs/benchmark_table.md.

The files are checked in; run this after a change of the grid: ``python tools/dev/make_configs.py``.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from icckd_mm.compose.distillers import DISTILLERS, Distiller, mix  # noqa: E402
from icckd_mm.compose.literals import Reference  # noqa: E402
from icckd_mm.compose.student import student_entries  # noqa: E402
from icckd_mm.compose.writer import config_text  # noqa: E402
from tools.dev.benchmark_grid import BENCHMARKS, DIGITS, FAMILIES, MULTI_VIEW, RELATIVES, STUDY_PAIR  # noqa: E402
from tools.dev.benchmark_layers import pair_of, variable  # noqa: E402
from tools.dev.benchmark_types import Benchmark, Method, Pair  # noqa: E402
from tools.dev.reproduce_tables import MARK, reproduce  # noqa: E402

Entries = dict[str, Any]


def bases(*parts: str) -> Entries:
    """The bases of a training."""
    return dict(_base_=[f'../../_base_/{part}.py' for part in (*parts, 'runtime')])


def fitted(bench: Benchmark, net: str, model: str) -> Entries:
    """Settings that adapt a network to the data set."""
    entries: Entries = {} if bench.classes is None else {f'{model}.head.num_classes': bench.classes}
    if bench.vgg_pools is not None and net.startswith('vgg'):
        entries[f'{model}.backbone.pools'] = bench.vgg_pools
    return entries


def rate(value: float | None) -> Entries:
    """Another learning rate than the schedule's."""
    return {} if value is None else dict(optim_wrapper=dict(optimizer=dict(lr=value)))


def network(bench: Benchmark, net: str, data: str, schedule: str) -> Entries:
    """The training of a network alone."""
    base = bases(f'datasets/{data}', f'{bench.models}/{net}', f'schedules/{schedule}')
    return {**base, 'model': Reference(f'_base_.{variable(net)}'), **fitted(bench, net, 'model')}


def contrast(weight: float) -> list[dict]:
    """The hook of the ICC teacher."""
    loss = dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=weight)
    return [dict(type='icckd_mm.IntraClassContrastHook', loss=loss)]


def baselines(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """Every network alone."""
    for net in dict.fromkeys([*bench.teachers, *bench.students]):
        entries = {**network(bench, net, bench.data, bench.schedule), **rate(bench.rate(None, net))}
        yield f'baseline/{bench.name("ce", net)}.py', config_text(entries)


def teachers(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """The ICC teachers."""
    for net in bench.teachers:
        entries = network(bench, net, f'{bench.data}_two_views', bench.schedule)
        yield f'teacher/{bench.name("icc", net)}.py', config_text({**entries, 'custom_hooks': contrast(0.02)})


def controls(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """ICC teachers that start from the CE teacher, and the control of two views without the loss."""
    note = 'Two views as for the ICC teacher, but loss weight 0: the effect of the second view alone'
    for net in bench.teachers:
        entries = network(bench, net, f'{bench.data}_two_views', bench.finetune)
        entries.update(custom_hooks=contrast(0.02), load_from=bench.last_epoch(bench.name('ce', net)))
        yield f'teacher/{bench.name("icc-ft", net)}.py', config_text(entries)
        entries = dict(_base_=f'../teacher/{bench.name("icc", net)}.py', custom_hooks=contrast(0))
        yield f'baseline/{bench.name("ce-2view", net)}.py', config_text(entries, note)


def enriched(bench: Benchmark, nets: Sequence[str]) -> Iterator[tuple[str, str]]:
    """MCMI teachers: 20 epochs from the CE teacher."""
    for net in nets:
        entries = network(bench, net, bench.data, bench.finetune)
        entries['model.head.loss'] = dict(type='icckd_mm.MCMILoss', num_classes=bench.classes or 100, kl_weight=0.25)
        entries['load_from'] = bench.last_epoch(bench.name('ce', net))
        yield f'teacher/{bench.name("mcmi", net)}.py', config_text(entries)


def students(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """Every student of a teacher."""
    for method in bench.methods:
        for pair in bench.pairs_of(method):
            for teacher in method.teachers:
                entries, note = student(bench, method, pair, teacher)
                yield f'distill/{bench.student_name(method, teacher, pair)}.py', config_text(entries, note)


def student(bench: Benchmark, method: Method, pair: Pair, teacher: str) -> tuple[Entries, str]:
    """The config of a student and its first comment."""
    epochs = 20 if teacher == 'mcmi' else bench.epochs
    teacher_ckpt = bench.last_epoch(bench.name(teacher, pair[0]), epochs)
    if teacher == 'mcmi' or (teacher == 'icc' and 'ce' in method.teachers):  # differs from the CE teacher's by a file
        base = f'{bench.student_name(method, "ce", pair)}.py'
        return dict(_base_=base, model=dict(teacher_ckpt=teacher_ckpt)), ''
    names = list(method.distillers or (method.name,))
    parts = mix(names, pair_of(bench, *pair))
    stages = {first: bench.student_name(stage(bench, first), teacher, pair) for first in parts.starts_from.values()}
    entries = student_entries(
        parts,
        student=f'_base_.{variable(pair[1])}',
        teacher=f'_base_.{variable(pair[0])}',
        teacher_ckpt=teacher_ckpt,
        first_stages={first: bench.last_epoch(name) for first, name in stages.items()},
    )
    nets = pair if parts.losses else pair[1:]
    models = [f'{bench.models}/{net}' for net in nets]
    data = bench.data if parts.data is None else f'{bench.data}_{parts.data}'
    whole = bases(f'datasets/{data}', *models, f'schedules/{method.schedule or bench.schedule}')
    for net in nets:
        whole.update(fitted(bench, net, f'_base_.{variable(net)}'))
    batch = method.batches.get(pair, method.batch)
    if batch not in (None, bench.batch):
        whole['train_dataloader'] = dict(batch_size=batch)
    note = '. '.join(f'{name}: {first_line(DISTILLERS[name])}' for name in names)
    return joined({**whole, **entries}, rate(bench.rate(method, pair[1])), method.config), note


def joined(entries: Mapping[str, Any], *others: Mapping[str, Any]) -> Entries:
    """Entries with changes, dict by dict."""
    whole = dict(entries)
    for other in others:
        for name, value in other.items():
            both = isinstance(value, Mapping) and isinstance(whole.get(name), Mapping)
            whole[name] = joined(whole[name], value) if both else value
    return whole


def first_line(distiller: Distiller) -> str:
    """What a distiller does, by its docstring."""
    return (inspect.getdoc(distiller) or '').splitlines()[0].rstrip('.')


def stage(bench: Benchmark, name: str) -> Method:
    """The method of that name."""
    return next(method for method in bench.methods if method.name == name)


def texts() -> dict[str, str]:
    """Text of every generated config by its path below ``configs/icckd``."""
    found: dict[str, str] = {}
    for bench in BENCHMARKS:
        for make in (baselines, teachers, controls, students):
            found.update(make(bench))
    found.update(enriched(BENCHMARKS[0], [teacher for teacher, _ in (*RELATIVES, *STUDY_PAIR)]))
    found.update(enriched(BENCHMARKS[1], [teacher for teacher, _ in STUDY_PAIR]))
    for make in (baselines, teachers, students):
        found.update(make(MULTI_VIEW))
    found.update(enriched(MULTI_VIEW, MULTI_VIEW.teachers))
    found.update(students(DIGITS))
    return found


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Write everything.

    Args:
        argv: Command line arguments; None: those of the process.

    Returns:
        The files written.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT, help='folder for configs/ and docs/ (default: the repository)')
    args = parser.parse_args(argv)
    files = {f'configs/icckd/{path}': text for path, text in texts().items()}
    prose, _, _ = (ROOT / 'docs/benchmark_table.md').read_text(encoding='utf-8').partition(MARK)
    files['docs/benchmark_table.md'] = f'{prose}{MARK}\n{reproduce(BENCHMARKS[0], FAMILIES)}'
    for path, text in files.items():
        file = args.out / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding='utf-8')
    return [args.out / path for path in files]


if __name__ == '__main__':
    print(f'{len(main())} files')
