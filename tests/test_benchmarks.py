"""The benchmarks run, and their file names the machine. Times are never asserted: machines differ."""

import copy
import json
import time

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.structures import DataSample

from benchmarks import table as hours
from benchmarks.device import BARE, OURS, PASSES, TEACHERS, forward_flops
from benchmarks.measure import Case, Setting, aim, measure, shown
from benchmarks.run import NAMES, main
from benchmarks.runs import BareLoop, student_run
from icckd_mm.teacher.second_views import SECOND_VIEWS
from icckd_mm.zoo.architectures import classifier_config
from tests.helpers import CONV, equal, state

TEACHER = classifier_config('resnet20', 100)


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp('bench') / 'bench.json'
    assert main(['--quick', '--out', str(path)]) == 0
    return json.loads(path.read_text())


def test_the_quick_form_measures_every_benchmark(report):
    assert {table['benchmark'] for table in report['tables']} == set(NAMES)
    for table in report['tables']:
        assert table['base'] in table['rows']
        assert table['rows'][table['base']]['ratio'] == 1
        for row in table['rows'].values():
            assert row['median_ms'] > 0
            assert row['iqr_ms'] >= 0
            assert row['rounds'] == 2
            low, high = row['ratio_quartiles']
            assert low <= row['ratio'] <= high


def test_the_report_says_on_what_it_was_measured(report):
    assert report['machine']['cpu']
    assert report['machine']['cores'] >= 1
    assert report['machine']['memory_gib'] > 0
    assert set(report['versions']) >= {'python', 'torch', 'mmengine', 'mmpretrain', 'mmrazor', 'icckd_mm'}
    assert report['threads'] == 1
    assert report['quick'] is True


def test_every_second_view_and_target_is_in_the_tables(report):
    rows = {name: row for table in report['tables'] if table['benchmark'] == 'teacher' for name, row in table['rows'].items()}
    assert set(rows) == {'cross-entropy', *SECOND_VIEWS}
    for name in ('teacher', 'data', 'epochs', 'networks', 'guard'):
        targets = [target for table in report['tables'] if table['benchmark'] == name for target in table['targets']]
        assert targets
        assert all(isinstance(target['reached'], bool) for target in targets)


def test_medians_and_ratios_are_those_of_sleeps():
    """Of the wall: 3 sleeps of 4 ms for a step of 4 ms, against 2 ms. Only the lower bound is sure."""
    cases = {'short': Case(lambda: time.sleep(2e-3)), 'long': Case(lambda: [time.sleep(4e-3) for _ in range(3)], 6, 3)}
    rows = measure('sleeps', cases, Setting(rounds=3), rounds=9, wall=True)['rows']
    assert rows['short']['rounds'] == rows['long']['rounds'] == 3
    assert rows['short']['median_ms'] >= 2
    assert rows['long']['median_ms'] >= 4
    assert rows['long']['images_per_s'] == pytest.approx(2 / (rows['long']['median_ms'] / 1e3))
    assert 'images_per_s' not in rows['short']


def test_the_bare_loop_computes_what_the_runner_does():
    """The floor of the student's step: with the same weights and images, the loss of the KD config."""
    model = student_run('kd_logits_resnet20_resnet8_1xb64_digits', 64).model
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        ours = MODELS.build(model).train()
    bare = BareLoop(model.architecture, model.teacher, batch=8, steps=1, size=16, device='cpu')
    bare.student.load_state_dict(ours.student.state_dict())
    bare.teacher.load_state_dict(ours.teacher.state_dict())
    images, labels = torch.randn(8, 3, 16, 16), torch.arange(8)
    losses = ours(images, [DataSample().set_gt_label(label) for label in labels], mode='loss')
    expected = sum(value for name, value in losses.items() if 'loss' in name)
    torch.testing.assert_close(bare.loss(images, labels), expected)
    before = state(bare.student)
    bare.epoch()
    assert not equal(state(bare.student), before)
    assert np.isfinite(bare.last)


def test_slow_forms_get_fewer_rounds():
    calls = {'fast': 0, 'slow': 0}

    def call(name, seconds):
        calls[name] += 1
        time.sleep(seconds)

    cases = {'fast': Case(lambda: call('fast', 0)), 'slow': Case(lambda: call('slow', 25e-3))}
    rows = measure('', cases, Setting(), rounds=30, wall=True)['rows']
    assert (rows['fast']['rounds'], rows['slow']['rounds']) == (30, 20)
    assert calls == {'fast': 31, 'slow': 21}  # one to warm up


def test_the_rounds_of_a_table_end_in_time_but_for_two():
    cases = {'slow': Case(lambda: time.sleep(5e-3))}
    for seconds, least, most in ((1e-9, 2, 2), (0.1, 3, 25), (None, 30, 30)):
        assert least <= measure('', cases, Setting(seconds=seconds), rounds=30, wall=True)['rows']['slow']['rounds'] <= most


def test_a_benchmark_of_many_cases_ends_when_the_time_is_up():
    setting = Setting(quick=True, until=0.0)
    (cut,) = hours.tables(setting)
    assert len(cut['rows']) == 1
    assert '1 of 2 configs measured' in cut['notes'][0]


def test_operations_are_those_of_the_layers():
    """Two for each product of a 3x3 convolution to 4 channels at stride 1 on 8x8, and of the last layer."""
    model = copy.deepcopy(CONV)
    model['backbone'] = dict(type='icckd_mm.CIFARResNet', depth=8, widths=(4, 4, 4, 4))
    model['head']['in_channels'] = 4
    per_layer = [(3, 4, 8), *[(4, 4, 8)] * 2, *[(4, 4, 4)] * 2, *[(4, 4, 2)] * 2]
    convolutions = sum(2 * 9 * inputs * outputs * side**2 for inputs, outputs, side in per_layer)
    downsamples = sum(2 * 4 * 4 * side**2 for side in (4, 2))
    assert forward_flops(model, 8) == convolutions + downsamples + 2 * 4 * 10


def test_the_hours_of_the_table_and_the_runs_of_an_hour(report):
    """KD counts twice; a rate of operations is that of images times those of a step."""
    tables = {
        name: [table for table in report['tables'] if table['benchmark'] == name] for name in ('table', 'device', 'packing')
    }
    (table,) = tables['table']
    rows = table['rows']
    hours = {name: 50_000 * 1 / row['images_per_s'] / 3600 for name, row in rows.items()}
    epochs = {name: row['hours'] / hours[name] for name, row in rows.items()}
    assert all(value == pytest.approx(round(value)) for value in epochs.values())
    assert table['hours'] == pytest.approx(sum((1 + name.startswith('kd_')) * row['hours'] for name, row in rows.items()))
    product, *others = tables['device']
    assert others
    for other in others:
        rows = other['rows']
        assert set(rows) == {*PASSES, OURS, BARE, 'KD', *TEACHERS}
        for name in {*rows} - {OURS}:
            assert rows[name]['flops_per_s'] > 0
        assert rows['grad']['flops_per_s'] == pytest.approx(rows['grad']['images_per_s'] * 6 * forward_flops(TEACHER, 32))
        for name in SECOND_VIEWS:
            assert rows[name]['ours'] == pytest.approx(rows[OURS]['median_ms'] / rows[name]['median_ms'])
    assert product['rows']['product']['flops_per_s'] == pytest.approx(
        2 * 128**3 / (product['rows']['product']['median_ms'] / 1e3)
    )
    (packed,) = tables['packing']
    for row in packed['rows'].values():
        assert row['runs_per_hour'] == pytest.approx(3600 / (row['median_ms'] / 1e3))
    assert list(packed['rows']) == ['1 at a time', '2 at a time']


def test_a_missed_target_is_said():
    table = measure('nothing', {'a': Case(lambda: sum(range(9999))), 'b': Case(lambda: sum(range(9999)))}, Setting(), rounds=2)
    aim(table, 'speed', 3.0, least=4)
    aim(table, 'ratio', 1.0, most=1.0)
    assert 'MISSED: speed 3, wanted at least 4' in shown(table)
    assert 'reached: ratio 1, wanted at most 1' in shown(table)
    assert [target['reached'] for target in table['targets']] == [False, True]


@pytest.mark.parametrize(
    ('arguments', 'named'),
    [
        (['lossy'], 'there is no benchmark lossy; there are loss, '),
        (['--rounds', '1'], 'at least 2'),
        (['--device', 'tpu'], 'tpu'),
        (['--seconds', '0'], 'above 0, got 0.0'),
    ],
)
def test_wrong_arguments_are_refused_before_work(arguments, named, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert named in capsys.readouterr().err
