"""The figures of the documentation are those of the files that a GPU has returned."""

import re
from pathlib import Path

from benchmarks.gpu.record import read_record

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / 'benchmarks/results/h200'
COLUMNS = ('cross-entropy', 'grad', 'no_grad', 'bank', 'KD', 'bare PyTorch, KD')


def test_the_table_of_steps_is_the_measured_one():
    items = read_record(RESULTS / 'speed.json')['items']
    page = (ROOT / 'docs/performance_runs.md').read_text()
    lines = re.findall(r'^\| (\S+), (\S+) \| (64|512) \| (.*) \|$', page, re.MULTILINE)
    assert len(lines) == 4
    for teacher, student, batch, cells in lines:
        pair = f'{teacher}_{student}'.lower().replace('wrn-', 'wrn').replace('wrn_', 'wrn')
        rows = items[f'Steps on the device, {pair}, B={batch}, bfloat16']['tables'][0]['rows']
        assert cells.split(' | ') == [f'{rows[name]["images_per_s"]:,.0f}' for name in COLUMNS]


def test_as_many_tests_have_passed_as_the_page_says():
    outcomes = [item['outcome'] for item in read_record(RESULTS / 'correctness.json')['items'].values()]
    assert set(outcomes) == {'passed'}
    assert f'all {len(outcomes)} tests marked' in (ROOT / 'docs/gpu.md').read_text()
