"""Counters, optimizers, schedules, generators, loop: a part that does not belong to the run is named before any step."""

import logging

import pytest
import torch

from .conftest import RUN, loop


def each(content, change):
    for state in content['optimizer']['state'].values():
        change(state)


FORGED = {
    # counters
    'epoch 10**9': (lambda c: c['meta'].update(epoch=10**9), 'it is of epoch 1000000000, and this run ends at 3'),
    'epoch after the end': (lambda c: c['meta'].update(epoch=4, iter=16), r'epoch 4, .* ends at 3 \(train_cfg\.max_epochs\)'),
    'iteration 10**9': (lambda c: c['meta'].update(iter=10**9), 'iteration 1000000000 is not in epoch 3 of 4 iterations'),
    'iteration before the epoch': (lambda c: c['meta'].update(iter=3), 'iteration 3 is not in epoch 3'),
    'no epoch': (lambda c: c['meta'].pop('epoch'), 'it holds weights, but not the state of a run'),
    'no hub': (lambda c: c.pop('message_hub'), 'it holds weights, but not the state of a run'),
    'epoch None': (lambda c: c['meta'].update(epoch=None), 'it has no epoch and iteration'),
    'hub is a list': (lambda c: c.update(message_hub=[]), 'it holds weights, but not the state of a run'),
    'half a hub': (lambda c: c['message_hub'].pop('log_scalars'), 'it holds weights, but not the state of a run'),
    'no meta': (lambda c: c.pop('meta'), 'it holds weights, but not the state of a run'),
    # optimizer
    'optimizer is a list': (lambda c: c.update(optimizer=[]), 'optimizer is a list'),
    'no groups': (lambda c: c['optimizer'].pop('param_groups'), 'no param_groups'),
    'two groups': (lambda c: c['optimizer']['param_groups'].append({}), 'has 2 groups of weights, that of this run 1'),
    'fewer weights': (lambda c: c['optimizer']['param_groups'][0]['params'].pop(), 'weights in a group'),
    'names of weights': (lambda c: c['optimizer']['param_groups'][0].update(params=['a'] * 99), 'weights in a group'),
    'text as lr': (lambda c: c['optimizer']['param_groups'][0].update(lr='x'), 'of another optimizer'),
    'nan as lr': (lambda c: c['optimizer']['param_groups'][0].update(lr=float('nan')), 'setting lr is nan'),
    'tensor as lr': (lambda c: c['optimizer']['param_groups'][0].update(lr=torch.ones(3)), 'setting lr is tensor'),
    'momentum of another shape': (
        lambda c: each(c, lambda s: s.update(momentum_buffer=torch.ones(2))),
        r'momentum_buffer has shape \(2,\)',
    ),
    'momentum is a number': (lambda c: each(c, lambda s: s.update(momentum_buffer=1.0)), r'momentum_buffer has shape \(\)'),
    'memory of no weight': (lambda c: c['optimizer']['state'].update({99: {}}), r'state\[99\] belongs to none'),
    'memory is a list': (lambda c: c['optimizer']['state'].update({0: []}), r'state\[0\] belongs to none'),
    # schedules
    'schedules are a number': (lambda c: c.update(param_schedulers=3), 'it has broken schedules'),
    'one schedule less': (lambda c: c['param_schedulers'].pop(), 'it has 1 schedules'),
    'schedules in another order': (lambda c: c['param_schedulers'].reverse(), 'schedule 0 of this run is a MultiStepLR'),
    'a schedule is a list': (lambda c: c['param_schedulers'].__setitem__(0, []), 'it is a list'),
    'a method of a schedule': (lambda c: c['param_schedulers'][0].update(step=3), 'only one of them has step'),
    'step of a schedule': (lambda c: c['param_schedulers'][0].update(last_step='x'), "last_step is 'x'"),
    'values of a schedule': (lambda c: c['param_schedulers'][0].update(base_values=[]), r'base_values is \[\]'),
    'milestones': (lambda c: c['param_schedulers'][0].update(milestones=[1]), r'milestones is \[1\]'),
    'arithmetic of a schedule': (
        lambda c: c['param_schedulers'][1].update(start_factor=0.0, total_iters=5, last_step=1),
        'its value fails with ZeroDivisionError',
    ),
    'overflow of a schedule': (
        lambda c: c['param_schedulers'][0].update(gamma=1e308, milestones={2: 99}, last_step=2),
        'its value fails with OverflowError',
    ),
    'a key with codes for the terminal': (lambda c: c['param_schedulers'][0].update({'a\x1b[2J\n': 1}), r"has 'a\\x1b\[2J\\n'"),
    # logs
    'a log that is not resumed': (
        lambda c: c['message_hub']['resumed_keys'].update({'train/loss': False}),
        'message_hub holds train/loss and says that it does not',
    ),
    # loop
    'loop is a list': (lambda c: c.update(train_loop=[]), 'train_loop does not hold the numbers'),
    'loop without length': (lambda c: c['train_loop'].pop('epoch_length'), 'train_loop does not hold the numbers'),
    'length 0': (lambda c: c['train_loop'].update(epoch_length=0), 'is not in epoch'),
    'validated later': (lambda c: c['train_loop'].update(validated=10**6), 'train_loop.validated is 1000000'),
    'validated is a text': (lambda c: c['train_loop'].update(validated='x'), 'train_loop does not hold the numbers'),
    # generators
    'ranks are a dict': (lambda c: c.update(ranks={}), 'ranks is a dict'),
    'a rank is None': (lambda c: c.update(ranks=[None]), r'ranks\[0\] does not hold'),
    'no generators': (lambda c: c['ranks'][0].update(random=None), 'are incomplete'),
    'python': (lambda c: c['ranks'][0]['random'].update(python=(3, (1, 2), None)), 'the state of a generator is broken'),
    'python gauss': (
        lambda c: c['ranks'][0]['random'].update(python=(*c['ranks'][0]['random']['python'][:2], 'x')),
        'no number for gauss',
    ),
    'numpy position': (
        lambda c: c['ranks'][0]['random'].update(numpy=(*c['ranks'][0]['random']['numpy'][:2], 10**6, 0, 0.0)),
        'the position of numpy is 1000000; it is a number from 0 to 624',
    ),
    'numpy table': (
        lambda c: c['ranks'][0]['random'].update(numpy=('MT19937', torch.ones(3, dtype=torch.int64), 1, 0, 0.0)),
        "not that of 'MT19937'",
    ),
    'torch bytes': (lambda c: c['ranks'][0]['random'].update(torch=torch.ByteTensor([1])), 'the state of torch is broken'),
    'torch floats': (lambda c: c['ranks'][0]['random'].update(torch=torch.ones(3)), 'the state of torch is not a row of bytes'),
    'torch zeros': (
        lambda c: c['ranks'][0]['random'].update(torch=torch.zeros_like(c['ranks'][0]['random']['torch'])),
        'the state of torch is broken',
    ),
    'gradients': (lambda c: c['ranks'][0].update(gradients={'x': torch.ones(1)}), 'has x, which is not a gradient'),
    'gradients of another shape': (
        lambda c: c['ranks'][0].update(gradients={'backbone.conv1.weight': torch.ones(1)}),
        'backbone.conv1.weight, which is not a gradient',
    ),
}  # fmt: skip


@pytest.fixture(scope='module')
def shared(trained, tmp_path_factory):
    """One runner for all forged files: a check stops before anything of it changes but its weights."""
    from tests.helpers import build

    return build(tmp_path_factory.mktemp('shared'), train_cfg=loop(3), **RUN)


@pytest.mark.parametrize('name', FORGED)
def test_a_forged_state_is_one_line_with_the_file(name, run, shared):
    from icckd_mm.compat.safe_load import load_checkpoint_safely
    from icckd_mm.engine.loading.run_state import check_run_state

    if isinstance(shared.optim_wrapper, dict):  # as Runner.train does
        shared._train_loop = shared.build_train_loop(shared._train_loop)
        shared.optim_wrapper = shared.build_optim_wrapper(shared.optim_wrapper)
        shared.param_schedulers = shared.build_param_scheduler(shared.param_schedulers)
    check_run_state(shared, load_checkpoint_safely(run.file), str(run.file))  # the honest file passes
    change, message = FORGED[name]
    run.forge(change)
    with pytest.raises(ValueError, match=rf'epoch_2\.pth cannot be resumed from: .*{message}.*; resume with') as caught:
        check_run_state(shared, load_checkpoint_safely(run.file), str(run.file))
    assert '\n' not in str(caught.value).split('tensor(')[0]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (
            dict(optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.01))),
            'it is of another optimizer: its settings are',
        ),
        (dict(optim_wrapper=dict(optimizer=dict(type='RMSprop', lr=0.01))), 'it is of another optimizer'),
        (dict(param_scheduler=None), r'it has 2 schedules \(param_scheduler\), this run has 0'),
        (dict(epochs=1), 'it is of epoch 2, and this run ends at 1'),
        (
            dict(train_cfg=dict(type='IterBasedTrainLoop', max_iters=5), param_scheduler=None),
            r'it is of iteration 8, and this run ends at 5',
        ),
    ],
    ids=['Adam', 'RMSprop', 'no schedules', 'fewer epochs', 'fewer iterations'],
)
def test_another_optimizer_schedule_or_end_on_resume(run, options, message):
    """Through the runner: mmengine trains with the wrong one, or fails with a KeyError some steps later."""
    with pytest.raises(ValueError, match=rf'epoch_2\.pth cannot be resumed from: {message}'):
        run.resume(**options)


def test_a_finished_run_ends_at_once(run):
    assert run.resume(2).epoch == 2


def warnings_of(run, caplog, **options):
    logging.getLogger('mmengine').propagate = True
    runner = run.runner(**options)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_what_a_resumed_run_asks_for_in_vain_is_said(run, caplog):
    optimizer = dict(optimizer=dict(type='SGD', lr=0.5, momentum=0.9, weight_decay=0.1))
    schedules = [dict(type='MultiStepLR', milestones=[2]), RUN['param_scheduler'][1]]
    (line,) = [
        line
        for line in warnings_of(run, caplog, optim_wrapper=optimizer, param_scheduler=schedules)
        if line.startswith('--resume uses')
    ]
    assert 'optim_wrapper.optimizer.lr=0.5 (checkpoint: 0.01)' in line
    assert 'optim_wrapper.optimizer.weight_decay=0.1 (checkpoint: None)' in line
    assert 'param_scheduler.0.milestones=[2] (checkpoint: [1])' in line
    assert 'To train with them, add --new-schedule' in line
    assert 'momentum' not in line


def test_nothing_is_said_where_nothing_is_in_vain(run, caplog):
    lines = warnings_of(run, caplog)
    assert not any('have no effect' in line or 'not exactly' in line for line in lines)


def test_a_loop_that_is_not_exact_is_said(run, caplog, tmp_path):
    lines = warnings_of(
        run,
        caplog,
        work_dir=tmp_path / 'iter',
        resume=False,
        load_from=None,
        validate=False,
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=1),
    )
    (line,) = [line for line in lines if 'not exactly' in line]
    assert line.startswith('a run in a IterBasedTrainLoop can be resumed, but not exactly')
    assert 'icckd_mm.ExactTrainLoop' in line


def test_an_old_file_with_lists_as_logs_is_resumed_alike(run):
    new = run.resume(work_dir=run.folder / 'new')

    def change(content):
        for log in content['message_hub']['log_scalars'].values():
            log['values'], counts = log['values'].double().tolist(), log['counts'].tolist()
            log['counts'] = counts * len(log['values']) if len(counts) == 1 else counts

    run.forge(change)
    old = run.resume(work_dir=run.folder / 'old')
    assert old.message_hub.log_scalars.keys() == new.message_hub.log_scalars.keys()
    for name, log in new.message_hub.log_scalars.items():
        if not name.endswith('time'):
            assert [part.tolist() for part in log.data] == [part.tolist() for part in old.message_hub.get_scalar(name).data]


def test_the_size_of_a_log_in_a_file_is_that_of_its_numbers(run):
    """187,000 iterations are 20 MB and 20 seconds as lists; here 20,000."""
    runner = run.runner()
    hub = runner.message_hub
    from mmengine.logging import HistoryBuffer

    small = run.folder / 'small.pth'
    runner.train()
    hook = next(hook for hook in runner.hooks if type(hook).__name__ == 'ExactCheckpointHook')
    save = lambda name: runner.save_checkpoint(str(run.folder), name, backend_args=hook.backend_args)  # noqa: E731
    save(small.name)
    values = torch.rand(20_000).double().numpy()
    hub.log_scalars['train/loss'] = HistoryBuffer(values, [1] * 20_000)
    save('large.pth')
    grown = (run.folder / 'large.pth').stat().st_size - small.stat().st_size
    assert grown < 1.1 * 4 * 20_000
    stored = torch.load(run.folder / 'large.pth', weights_only=True)['message_hub']['log_scalars']['train/loss']
    assert (stored['values'].double().numpy() == values).all()
