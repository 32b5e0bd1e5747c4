"""Logs of one start, of a resumed run, of a second run in the same folder."""

import json

import pytest

from icckd_mm.lab.analysis.curves import read_log


def write(folder, start, rows, tail=''):
    """``rows``: (epoch, iter) of training, or the epoch of a validation."""
    lines = [
        dict(lr=0.1, loss=float(f'{row[1]}.{start}'), epoch=row[0], iter=row[1], step=row[1])
        if isinstance(row, tuple)
        else {'accuracy/top1': float(f'{row}.{start}'), 'step': row}
        for row in rows
    ]
    file = folder / f'2026010{start}_000000' / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text('\n'.join(map(json.dumps, lines)) + '\n' + tail)


def pairs(log, key):
    return [tuple(map(float, pair)) for pair in zip(*log.curves[key])]


def test_times_are_epochs(tmp_path):
    write(tmp_path, 1, [(1, 2), (1, 4), 1, (2, 6), (2, 8), 2])
    log = read_log(tmp_path)
    assert log.unit == 'epoch'
    assert pairs(log, 'loss') == [(0.5, 2.1), (1.0, 4.1), (1.5, 6.1), (2.0, 8.1)]
    assert pairs(log, 'accuracy/top1') == [(1.0, 1.1), (2.0, 2.1)]


def test_a_resumed_run_is_joined_and_what_it_did_again_counts_once(tmp_path):
    """Cut off after step 6, resumed from the checkpoint at step 4; twice."""
    write(tmp_path, 1, [(1, 2), (1, 4), 1, (2, 6)])
    write(tmp_path, 2, [(2, 6), (2, 8), 2, (3, 10)])
    write(tmp_path, 3, [(3, 10), (3, 12), 3])
    log = read_log(tmp_path)
    assert [value for _, value in pairs(log, 'loss')] == [2.1, 4.1, 6.2, 8.2, 10.3, 12.3]
    assert [value for _, value in pairs(log, 'accuracy/top1')] == [1.1, 2.2, 3.3]


def test_a_new_run_in_an_old_folder_stands_alone(tmp_path):
    write(tmp_path, 1, [(1, 1), (1, 2), (1, 4), 1, (2, 8), 2, (3, 12), 3])
    write(tmp_path, 2, [(1, 2), (1, 4), 1])
    assert [value for _, value in pairs(read_log(tmp_path), 'loss')] == [2.2, 4.2]
    write(tmp_path, 3, [])  # started and stopped at once
    assert [value for _, value in pairs(read_log(tmp_path), 'loss')] == [2.2, 4.2]


def test_a_run_that_counts_iterations(tmp_path):
    file = tmp_path / '20260101_000000' / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text('{"lr": 0.1, "loss": 3, "iter": 50, "step": 50}\n{"accuracy/top1": 9, "step": 60}\n')
    log = read_log(tmp_path)
    assert log.unit == 'iteration'
    assert (pairs(log, 'loss'), pairs(log, 'accuracy/top1')) == ([(50, 3)], [(60, 9)])


def test_a_half_written_line_at_the_end_is_left_out_elsewhere_it_is_named(tmp_path):
    write(tmp_path / 'going_on', 1, [(1, 2)], tail='{"lr": 0.1, "lo')
    assert pairs(read_log(tmp_path / 'going_on'), 'loss') == [(1.0, 2.1)]
    write(tmp_path / 'damaged', 1, [(1, 2)], tail='{"lr": 0.1, "lo\n{}\n')
    with pytest.raises(ValueError, match='line 2 is not JSON'):
        read_log(tmp_path / 'damaged')


def test_nothing_logged(tmp_path):
    with pytest.raises(ValueError, match='has no scalars in'):
        read_log(tmp_path)
