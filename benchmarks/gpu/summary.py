"""One page about all stages, from their files."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.gpu.record import read_record
from benchmarks.gpu.stages import WEIGHTS
from icckd_mm.lab.experiment.results import RESULTS, read_results
from icckd_mm.lab.study.cells import label

SHOWN = 20  # failures
PLAIN = {'temperature': 0.1, 'loss_weight': None}


def summarise(out: Path) -> str:
    """The page, in Markdown.

    Args:
        out: Folder of the files; some may be missing.
    """
    records = {name: read_record(out / f'{name}.json') for name in WEIGHTS}
    lines = ['# A quarter of an hour on one device', '', *_machine(records['speed']), *_stages(records)]
    lines += _failures(records)
    lines += _speed(records['speed'])
    lines += _study(records['study'], read_results(out / RESULTS))
    return '\n'.join(lines) + '\n'


def _machine(speed: dict[str, Any]) -> list[str]:
    machine = speed.get('machine', {})
    name = machine.get('gpu') or machine.get('cpu')
    quick = ' Quick mode: the figures mean nothing.' if speed.get('quick') else ''
    return [f'Measured on {name}, torch {speed["versions"]["torch"]}.{quick}', ''] if name else []


def _stages(records: dict[str, dict[str, Any]]) -> list[str]:
    lines = ['| stage | device | status | passed | failed | skipped | no time |', '|---|---|---|---|---|---|---|']
    for name, record in records.items():
        counts = Counter(item['outcome'] for item in record['items'].values())
        cells = [str(counts[outcome]) for outcome in ('passed', 'failed', 'skipped', 'no time')]
        lines.append(f'| {name} | {record.get("device", "")} | {record.get("status", "not begun")} | {" | ".join(cells)} |')
    return lines


def _failures(records: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for stage, record in records.items():
        for name, item in record['items'].items():
            if item['outcome'] == 'failed':
                lines.append(f'- {stage}: {name}: {" ".join(str(item.get("error", "")).split())[:200]}')
    more = [f'- and {len(lines) - SHOWN} more'] if len(lines) > SHOWN else []
    return ['', '## Failed', '', *lines[:SHOWN], *more] if lines else []


def _speed(record: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, item in record['items'].items():
        for table in item.get('tables', ()):
            title = table.get('title') or name
            lines += ['', f'{title}:', '', '| case | ms | times the first | images/s | MiB |', '|---|---|---|---|---|']
            for case, row in table['rows'].items():
                rate = f'{row["images_per_s"]:,.0f}' if 'images_per_s' in row else ''
                memory = f'{row["peak_memory_mib"]:,.0f}' if 'peak_memory_mib' in row else ''
                lines.append(f'| {case} | {row["median_ms"]:.3f} | {row["ratio"]:.2f} | {rate} | {memory} |')
            lines += ['', *(f'- {note}' for note in table.get('notes', ()))] if table.get('notes') else []
    return ['', '## Speed', *lines] if lines else []


def _study(record: dict[str, Any], results: list[dict[str, Any]]) -> list[str]:
    if not record.get('title'):
        return []
    lines = [
        '',
        '## Study',
        '',
        f'{record["title"]}.',
        '',
        '| run | seeds | top-1, mean | lowest | highest |',
        '|---|---|---|---|---|',
    ]
    cells: dict[str, list[float]] = defaultdict(list)
    for result in results:
        shown = {key: value for key, value in result['factors'].items() if key in ('teacher', 'student', 'loss_weight')}
        name = label(shown, PLAIN) if result['factors'].get('teacher') not in ('ce', 'ce-2view') else label(shown, shown)
        cells[name].append(result['last_accuracy'])
    for name, values in sorted(cells.items()):
        mean = statistics.fmean(values)
        lines.append(f'| {name} | {len(values)} | {mean:.2f} | {min(values):.2f} | {max(values):.2f} |')
    return lines
