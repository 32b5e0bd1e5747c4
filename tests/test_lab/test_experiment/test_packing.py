"""Runs share a GPU if its memory allows; the choice is tested with given numbers, without a GPU."""

import random
from pathlib import Path

import pytest
import torch

from icckd_mm.lab.experiment.devices import new_peak, peak_memory
from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.packing import RESERVE, GpuSlots, choose_gpu, free_memory, largest_peaks
from icckd_mm.lab.experiment.recipe import Recipe
from icckd_mm.lab.experiment.results import without_varying
from icckd_mm.lab.experiment.train_run import Task
from icckd_mm.lab.experiment.workers import Workers

R = RESERVE


@pytest.mark.parametrize(
    ('need', 'free', 'running', 'chosen'),
    [
        (100, {'0': 10 * R}, {'0': []}, '0'),
        (100, {'0': 2 * R + 200}, {'0': [100]}, '0'),  # to the last byte
        (101, {'0': 2 * R + 200}, {'0': [100]}, None),
        (100, {'0': 10}, {'0': []}, '0'),  # too small, but it will never be larger
        (None, {'0': 99 * R}, {'0': [1]}, None),  # what is not known may need all
        (1, {'0': 99 * R}, {'0': [None]}, None),
        (None, {'0': 99 * R, '1': R}, {'0': [1], '1': []}, '1'),
        (100, {'0': 9 * R, '1': 8 * R}, {'0': [3 * R], '1': []}, '1'),  # the emptier one
        (100, {'0': 9 * R, '1': 4 * R}, {'0': [2 * R], '1': []}, '0'),
        (100, {}, {'0': []}, None),  # no idle worker
    ],
)
def test_the_choice(need, free, running, chosen):
    assert choose_gpu(need, free, running) == chosen


def run(number, config='a.py', view=None):
    return Run(f'run{number}', Recipe('teacher', 'icc', {'second_view': view}, config), number, epochs=1)


def record(of, peak):
    recipe = of.recipe
    machine = {'device': 'X'} if peak is None else {'device': 'X', 'peak_memory_mib': peak}
    return dict(run=of.name, stage=recipe.stage, config=recipe.config, factors=recipe.factors, machine=machine, time={})


def test_the_largest_peak_of_a_kind_counts_and_a_run_without_gpu_says_nothing():
    bank, grad = run(0, view='bank'), run(1, view='grad')
    peaks = largest_peaks([record(bank, 5.0), record(bank, 3.0), record(grad, 9.0), record(run(2, 'b.py'), None)])
    assert peaks == {('teacher', 'a.py', 'bank'): 5.0, ('teacher', 'a.py', 'grad'): 9.0}


def test_the_first_of_a_kind_runs_alone_and_the_next_ones_together():
    slots = GpuSlots(['0', '1'], 2, [])
    slots.free = {'0': 5 * R, '1': 5 * R}
    runs = [run(number) for number in range(8)]
    assert [slots.enter(one, ['0', '1', '0', '1']) for one in runs[:3]] == ['0', '1', None]
    slots.leave(runs[0], record(runs[0], R))  # two times R each, now that it is known
    assert [slots.enter(one, ['0', '1']) for one in runs[2:6]] == ['0', '0', '1', None]
    slots.leave(runs[2], None)  # it failed
    assert slots.enter(runs[5], ['1']) is None
    assert slots.enter(runs[5], ['0', '1']) == '0'


def test_an_assumed_memory_counts_until_the_first_of_a_kind_has_ended():
    slots = GpuSlots(['0'], 1, [], assumed=R)
    slots.free = {'0': 6 * R}
    runs = [run(number) for number in range(6)]
    assert [slots.enter(one, ['0']) for one in runs[:4]] == ['0', '0', '0', None]
    slots.leave(runs[0], record(runs[0], 4 * R))  # the two that run need all, now that it is known
    assert slots.enter(runs[3], ['0']) is None


def test_however_runs_come_and_go_no_gpu_is_overfull_and_all_runs_are_done():
    draw = random.Random(0)
    needs = {f'{name}.py': draw.uniform(0.1, 4) * R for name in 'abcd'}
    for _ in range(50):
        slots = GpuSlots(['0', '1', '2'], 3, [])
        slots.free = {gpu: draw.uniform(2, 12) * R for gpu in '012'}
        waiting = [run(number, draw.choice(list(needs))) for number in range(30)]
        shared = 0
        while waiting or any(slots.running.values()):
            for one in list(waiting):
                if slots.enter(one, '012') is not None:
                    waiting.remove(one)
            for gpu, there in slots.running.items():
                shared += len(there) > 1
                assert len(there) <= 1 or sum(needs[one.recipe.config] + R for one in there) <= slots.free[gpu]
            done = draw.choice([one for there in slots.running.values() for one in there])
            slots.leave(done, record(done, needs[done.recipe.config]))
        assert shared


def test_without_gpus_there_is_room_for_all():
    slots = GpuSlots([], 4, [record(run(0), 99.0)])
    assert [slots.enter(run(number), ['']) for number in range(5)] == [''] * 5


def test_one_run_a_gpu_asks_nobody():
    slots = GpuSlots(['none such'], 1, [])
    assert slots.enter(run(0), ['none such']) == 'none such'


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_gpus_that_are_not_there_are_named_with_the_way_out():
    with pytest.raises(ValueError, match=r'GPUs 0, 7 do not report their free memory: .*; use --workers 2'):
        free_memory(['0', '7'])


def test_a_peak_is_no_difference_of_two_runs_and_without_gpu_there_is_none():
    new_peak()
    if not torch.cuda.is_initialized():
        assert peak_memory() == {}
    first, second = (without_varying([record(run(0), peak)]) for peak in (5.0, 6.0))
    assert first == second


def test_workers_are_dealt_to_gpus_and_a_task_goes_to_the_one_chosen(tmp_path):
    pool = Workers(3, ['0', '1'])
    try:
        assert pool.idle() == ['0', '1', '0']
        pool.start(Task(run(0), str(tmp_path), None, False, 'no such code'), '1')
        assert pool.idle() == ['0', '0']
        assert pool.members[1].settings['CUDA_VISIBLE_DEVICES'] == '1'
        ((task, found, error),) = pool.finished()
        assert (task.run.name, found, pool.idle()) == ('run0', None, ['0', '1', '0'])
        assert 'the code was no such code' in error
    finally:
        pool.stop()
    assert Path(tmp_path, 'log.txt').is_file()
