"""A resumed run follows the checkpoint's schedule, or with ``--new-schedule`` that of its config, from the same position."""

import math

import pytest
import torch
from mmengine.hooks import Hook

from icckd_mm.engine.exact.checkpoint_difference import checkpoint_differences
from icckd_mm.engine.loading.load_check_hook import add_load_check
from tests.helpers import build
from tests.integration.test_tools import ROOT, TEACHER, command

LENGTH, EPOCHS = 4, 4
EPOCH = [dict(type='MultiStepLR', milestones=[1, 3], gamma=0.1, by_epoch=True)]
WARM = [  # by iteration, then by epoch; the second computes its value from the last one
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=3),
    dict(type='CosineAnnealingLR', T_max=EPOCHS - 1, eta_min=1e-4, by_epoch=True, begin=1, end=EPOCHS),
]
CONVERTED = [dict(type='CosineAnnealingLR', T_max=EPOCHS, by_epoch=True, convert_to_iter_based=True)]


class Rates(Hook):
    """Learning rates of all iterations."""

    priority = 'VERY_HIGH'  # before the schedulers step

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append(runner.optim_wrapper.param_groups[0]['lr'])


def run(folder, schedule, *, lr=0.1, epochs=EPOCHS, resume=False, new=False, **options):
    rates = Rates()
    loop = dict(type='icckd_mm.ExactTrainLoop', max_epochs=epochs)
    wrapper = dict(optimizer=dict(type='SGD', lr=lr, momentum=0.9))
    options = dict(train_cfg=loop, param_scheduler=schedule, optim_wrapper=wrapper, resume=resume, **options)
    runner = build(folder, hooks=[rates], views=1, **options)
    add_load_check(runner, new)
    runner.train()
    return rates.seen, torch.load(folder / f'epoch_{epochs}.pth', weights_only=True)


@pytest.mark.parametrize('schedule', [EPOCH, WARM, CONVERTED], ids=['epoch', 'warm-up', 'converted'])
def test_an_unchanged_schedule_resumes_bit_identically_with_it_too(schedule, tmp_path):
    _, straight = run(tmp_path / 'a', schedule)
    (tmp_path / 'a/epoch_3.pth').unlink()
    (tmp_path / 'a/epoch_4.pth').unlink()
    (tmp_path / 'a/last_checkpoint').write_text(str(tmp_path / 'a/epoch_2.pth'))
    _, resumed = run(tmp_path / 'a', schedule, resume=True, new=True)
    assert not checkpoint_differences(straight, resumed)


@pytest.mark.parametrize('new', [False, True])
def test_another_rate_and_schedule_begin_where_the_run_goes_on_or_not_at_all(new, tmp_path):
    run(tmp_path / 'a', CONVERTED, epochs=2)
    longer = [{**CONVERTED[0], 'T_max': 8}]
    expected, _ = run(tmp_path / 'b', longer, lr=0.3)
    found, after = run(tmp_path / 'a', longer, lr=0.3, resume=True, new=new)
    rest = expected[2 * LENGTH :]
    stays = [0.05 * (1 + math.cos(math.pi * 7 / 16))] * len(rest)  # of the seventh step: the file's schedule ends there
    assert found == pytest.approx(rest if new else stays)
    assert after['meta']['epoch'] == EPOCHS
    assert set(after['optimizer']['state'][0]) == {'momentum_buffer'}


def test_more_epochs_alone_are_warned_of_where_the_schedule_ends_with_the_run(tmp_path):
    """mmengine converts a schedule to iterations with the epochs of the run, and resumes with its old end."""
    run(tmp_path, CONVERTED, epochs=2)
    said = []
    for new in (False, True):
        runner = build(tmp_path, hooks=[], views=1, param_scheduler=CONVERTED, resume=True)
        runner.logger.warning = said.append
        add_load_check(runner, new)
        runner._train_loop['max_epochs'] = 3
        runner.train()
        (tmp_path / 'epoch_3.pth').unlink()
        (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_2.pth'))
    (line,) = (line for line in said if 'no effect' in line)
    assert 'param_scheduler.0.end=12 (checkpoint: 8)' in line
    assert line.endswith('add --new-schedule')


def test_another_number_of_schedules_is_taken_with_it(tmp_path):
    run(tmp_path / 'a', EPOCH, epochs=2)
    expected, _ = run(tmp_path / 'b', WARM)
    with pytest.raises(ValueError, match='it has 1 schedules'):
        run(tmp_path / 'a', WARM, resume=True)
    assert run(tmp_path / 'a', WARM, resume=True, new=True)[0] == pytest.approx(expected[2 * LENGTH :])


def test_momentum_stays_that_of_the_file(tmp_path):
    """A step of rate 0 changes nothing but the momentum, which is 0.9 of the old one and the gradient."""
    _, before = run(tmp_path / 'a', None, epochs=1)
    _, after = run(tmp_path / 'a', None, epochs=2, lr=0.0, resume=True, new=True)
    names = [name for name in before['state_dict'] if name.endswith('weight')]
    assert all(torch.equal(before['state_dict'][name], after['state_dict'][name]) for name in names)
    buffers = [one['optimizer']['state'][0]['momentum_buffer'].flatten() for one in (before, after)]
    assert torch.corrcoef(torch.stack(buffers))[0, 1] > 0.1


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(schedule=[dict(type='ReduceOnPlateauLR', monitor='accuracy/top1')]), 'cannot repeat the metrics that ReduceOnPl'),
        (dict(schedule=EPOCH, epochs=1), 'nothing is left to train'),
    ],
)
def test_what_it_cannot_do_is_named(options, message, tmp_path):
    run(tmp_path, EPOCH, epochs=2)
    with pytest.raises(ValueError, match=message):
        run(tmp_path, resume=True, new=True, **options)


def test_the_flag_needs_resume(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(ValueError, match='--new-schedule needs --resume'):
        command('train')([TEACHER, '--work-dir', str(tmp_path), '--new-schedule'])
