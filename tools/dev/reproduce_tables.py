"""The tables of docs/benchmark_table.md: published figures, and the commands that aim at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from icckd_mm.zoo.published import PAIRS, STUDENTS, TEACHERS
from tools.dev.benchmark_grid import Benchmark, Method, Pair

TITLES = {
    'ckd-480e': 'CKD, 480 epochs',
    'fitnet': 'FitNet',
    'mlkd-480e': 'MLKD, 480 epochs',
    'pckd-4rot': 'PCKD',
    'reviewkd': 'ReviewKD',
    'simkd': 'SimKD, a larger student',
}
RELATIVES_SOURCE = (
    'Sources of all rows: `icckd_mm/zoo/published/pairs.py`. ReviewKD and resnet32x4 → shufflenetv1 of SimKD are second-hand.\n'
    "CKD and PCKD are from the table in PCKD's repository (Ding et al. 2025, arXiv 2410.14143); that its row of CKD is Zhu et\n"
    'al. 2025 (arXiv 2404.14109) after their 480 epochs is our reading. `python tools/list_configs.py --method ckd-480e\n'
    'pckd-4rot` shows figures and configs.'
)
MARK = '<!-- From here on written by tools/dev/make_configs.py -->\n'


def command(path: str) -> str:
    return f'`python tools/train.py configs/icckd/{path}.py`'


def shown(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f}'


def reproduce(bench: Benchmark, families: Mapping[str, Sequence[Pair]]) -> str:
    """The tables of docs/benchmark_table.md.

    Args:
        bench (Benchmark): What is trained; each of its networks and pairs has a published figure.
        families (Mapping): Its pairs, by the heading of their table; RELATIVES_SOURCE is below the first.

    Returns:
        str: Markdown.
    """
    data = bench.data
    lines = []
    for family, pairs in families.items():
        lines += [f'## {family}: published', '', '| top-1 / % | ' + ' | '.join(f'{t} → {s}' for t, s in pairs) + ' |']
        lines += ['|---' * (len(pairs) + 1) + '|']
        rows = {
            'teacher': [TEACHERS[data][teacher] for teacher, _ in pairs],
            'student alone': [STUDENTS[data][student] for _, student in pairs],
            **{title(method): [known.get(pair) for pair in pairs] for method, known in PAIRS[data].items()},
        }
        lines += [f'| {row} | ' + ' | '.join(map(shown, values)) + ' |' for row, values in rows.items() if any(values)]
        lines += ['| ICCKD, ICCKD+RKD |' + ' - |' * len(pairs), '']
        if family == next(iter(families)):
            lines += [RELATIVES_SOURCE, '']
    lines += ['## Teachers', '', '| teacher | training | published | command |', '|---|---|---|---|']
    for net in bench.teachers:
        lines += [f'| {net} | CE | {TEACHERS[data][net]:.2f} | {command("baseline/" + bench.name("ce", net))} |']
        lines += [f'| {net} | CE, two views | - | {command("baseline/" + bench.name("ce-2view", net))} |']
        lines += [f'| {net} | ICC | - | {command("teacher/" + bench.name("icc", net))} |']
        lines += [f'| {net} | ICC, from the CE teacher | - | {command("teacher/" + bench.name("icc-ft", net))} |']
    lines += ['', '## Students alone', '', '| student | published | command |', '|---|---|---|']
    for net in bench.students:
        lines += [f'| {net} | {STUDENTS[data][net]:.2f} | {command("baseline/" + bench.name("ce", net))} |']
    lines += ['', '## Students of a teacher', '', 'KD needs the CE teacher first, the others the ICC teacher.', '']
    lines += ['| teacher → student | method | published | command |', '|---|---|---|---|']
    for pair in bench.pairs:
        methods = {
            'KD': ('kd_logits', shown(PAIRS[data]['kd'][pair])),
            'ICCKD': ('icckd-kd_logits', '-'),
            'ICCKD+RKD': ('icckd-kd-rkd_logits-neck', '-'),
        }
        for name, (method, figure) in methods.items():
            path = f'distill/{bench.name(method, *pair)}'
            lines += [f'| {pair[0]} → {pair[1]} | {name} | {figure} | {command(path)} |']
    lines += ['', *other_methods(bench)]
    return '\n'.join(lines) + '\n'


def title(method: str) -> str:
    """A method as a table names it."""
    return TITLES.get(method, '+'.join(part.upper() for part in method.split('-')))


def other_methods(bench: Benchmark) -> list[str]:
    """Where the configs of all other methods are."""
    lines = ['## Students of a teacher, other methods', '']
    lines += ['`icckd-` before the name has the ICC teacher. `python tools/list_configs.py --method NAME` lists the files.', '']
    lines += ['| method | configs | pairs |', '|---|---|---|']
    for method in bench.methods:
        if method.name not in ('kd', 'kd-rkd'):
            lines += [f'| {title(method.name)} | `distill/{pattern(bench, method)}` | {len(bench.pairs_of(method))} |']
    return lines


def pattern(bench: Benchmark, method: Method) -> str:
    """The names of a method's configs."""
    batches = sorted({method.batches.get(pair, method.batch or bench.batch) for pair in bench.pairs_of(method)})
    return f'{method.name}_{method.where}_<teacher>_<student>_1xb{" or ".join(map(str, batches))}_{bench.data}.py'
