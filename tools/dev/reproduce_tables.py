"""The tables of docs/reproduce.md: published figures, and the commands that aim at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from icckd_mm.zoo.published import CKD as CKD_TOP1
from icckd_mm.zoo.published import KD, PCKD, STUDENTS, TEACHERS
from tools.dev.benchmark_grid import Benchmark, Pair

RELATIVES_SOURCE = (
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
    """The tables of docs/reproduce.md.

    Args:
        bench (Benchmark): What is trained; each of its networks and pairs has a published figure.
        families (Mapping): Its pairs, by the heading of their table; RELATIVES_SOURCE is below the first.

    Returns:
        str: Markdown.
    """
    data = bench.data
    lines = []
    for title, pairs in families.items():
        lines += [f'## {title}: published', '', '| top-1 / % | ' + ' | '.join(f'{t} → {s}' for t, s in pairs) + ' |']
        lines += ['|---' * (len(pairs) + 1) + '|']
        rows = {
            'teacher': [TEACHERS[data][teacher] for teacher, _ in pairs],
            'student alone': [STUDENTS[data][student] for _, student in pairs],
            'KD': [KD[data][pair] for pair in pairs],
            'CKD, 480 epochs': [CKD_TOP1[data].get(pair) for pair in pairs],
            'PCKD': [PCKD[data].get(pair) for pair in pairs],
        }
        lines += [f'| {row} | ' + ' | '.join(map(shown, values)) + ' |' for row, values in rows.items() if any(values)]
        lines += ['| ICCKD, ICCKD+RKD |' + ' - |' * len(pairs), '']
        if title == next(iter(families)):
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
            'KD': ('kd_logits', f'{KD[data][pair]:.2f}'),
            'ICCKD': ('icckd-kd_logits', '-'),
            'ICCKD+RKD': ('icckd-kd-rkd_logits-neck', '-'),
        }
        for title, (method, figure) in methods.items():
            path = f'distill/{bench.name(method, *pair)}'
            lines += [f'| {pair[0]} → {pair[1]} | {title} | {figure} | {command(path)} |']
    return '\n'.join(lines) + '\n'
