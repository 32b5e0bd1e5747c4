"""An interrupted run ends with the same file as an uninterrupted one: every tensor, number and generator."""

import copy

import pytest
import torch
from mmengine.hooks import Hook

from icckd_mm.engine.exact.checkpoint_difference import checkpoint_differences
from icckd_mm.engine.exact.train_loop import ExactTrainLoop
from tests.helpers import CONV, ICC, NORM, build, config, train

EPOCHS, LENGTH = 4, 4


class PullThePlug(Hook):
    """Ends the run within an iteration, after the checkpoint hook has had its turn."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            raise KeyboardInterrupt


class PullThePlugInValidation(PullThePlug):
    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.iteration:
            raise KeyboardInterrupt


def checkpoint_hook(**options):
    return dict(
        checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1, max_keep_ckpts=1, **options),
        logger=dict(type='LoggerHook', interval=1),
    )


BY_EPOCH = checkpoint_hook(save_best='auto')
BY_ITERATION = checkpoint_hook(by_epoch=False)


def run(folder, epochs=EPOCHS, plug=None, hooks=(ICC,), val_begin=1, **options):
    options = {'validate': True, 'default_hooks': BY_EPOCH, **copy.deepcopy(options)}
    loop = dict(type='icckd_mm.ExactTrainLoop', max_epochs=epochs, val_begin=val_begin)
    try:
        return train(folder, hooks=[*hooks, *([plug] if plug else [])], train_cfg=loop, **options)
    except KeyboardInterrupt:
        return None


def last(folder):
    (file,) = (file for file in folder.glob('*.pth') if not file.name.startswith('best'))
    return torch.load(file, weights_only=True)


@pytest.fixture(scope='module')
def straight(tmp_path_factory):
    """Checkpoints of undisturbed runs by the hook that writes them."""
    torch.set_num_threads(1)  # as the tests: sums depend on how they are split
    folder = tmp_path_factory.mktemp('straight')
    run(folder / 'epoch')
    run(folder / 'iteration', default_hooks=BY_ITERATION)
    return {'epoch': last(folder / 'epoch'), 'iteration': last(folder / 'iteration')}


@pytest.mark.parametrize('split', [1, 2, 3])
def test_resume_after_an_epoch(split, straight, tmp_path):
    """Reliability test 10: teacher stage, random crops in two views; queue, momentum, generators and logs included."""
    run(tmp_path, epochs=split)
    run(tmp_path, resume=True)
    assert checkpoint_differences(straight['epoch'], last(tmp_path)) == []


@pytest.mark.parametrize('iteration', [1, 6, 8, 15])
def test_resume_within_an_epoch(iteration, straight, tmp_path):
    """Reliability test 10, mid-epoch; 8 is the last iteration of an epoch."""
    run(tmp_path, plug=PullThePlug(iteration), default_hooks=BY_ITERATION)
    _, steps = run(tmp_path, resume=True, default_hooks=BY_ITERATION)
    assert len(steps) == EPOCHS * LENGTH - iteration
    assert checkpoint_differences(straight['iteration'], last(tmp_path)) == []


def test_the_comparison_sees_a_difference(straight):
    other = copy.deepcopy(straight['epoch'])
    other['ranks'][0]['random']['torch'][0] += 1
    other['optimizer']['state'][0]['momentum_buffer'].view(-1)[0] += 1e-7
    assert checkpoint_differences(straight['epoch'], other) == ['.optimizer.state.0.momentum_buffer', '.ranks[0].random.torch']


def test_a_validation_that_was_cut_off_is_made_up_for(straight, tmp_path):
    run(tmp_path, plug=PullThePlugInValidation(8))
    run(tmp_path, resume=True)
    assert checkpoint_differences(straight['epoch'], last(tmp_path)) == []


@pytest.mark.parametrize('hook', [BY_EPOCH, checkpoint_hook(by_epoch=False, save_best='auto')], ids=['epoch', 'iteration'])
def test_a_better_score_after_the_last_file_is_noted_in_it(hook, tmp_path):
    """The only validation is the last, and it was cut off."""
    run(tmp_path / 'straight', val_begin=EPOCHS, default_hooks=hook)
    run(tmp_path / 'split', val_begin=EPOCHS, default_hooks=hook, plug=PullThePlugInValidation(EPOCHS * LENGTH))
    run(tmp_path / 'split', val_begin=EPOCHS, default_hooks=hook, resume=True)
    assert checkpoint_differences(last(tmp_path / 'straight'), last(tmp_path / 'split')) == []
    assert last(tmp_path / 'split')['train_loop']['validated'] == EPOCHS


def test_two_runs_with_one_seed_are_equal(straight, tmp_path):
    """Reliability test 20."""
    run(tmp_path)
    assert checkpoint_differences(straight['epoch'], last(tmp_path)) == []


def test_the_hook_alone_is_exact_between_epochs(tmp_path):
    """In mmengine's own loop, without workers; that loop forgets the validation after the file, hence the log differs."""
    for folder, epochs, resume in (('straight', 2, False), ('split', 1, False), ('split', 2, True)):
        train(tmp_path / folder, epochs=epochs, resume=resume, validate=True, default_hooks=checkpoint_hook())
    differences = checkpoint_differences(last(tmp_path / 'straight'), last(tmp_path / 'split'))
    assert differences == ['.message_hub.log_scalars', '.message_hub.resumed_keys']


def test_two_interruptions(straight, tmp_path):
    run(tmp_path, plug=PullThePlug(5), default_hooks=BY_ITERATION)
    run(tmp_path, plug=PullThePlug(11), resume=True, default_hooks=BY_ITERATION)
    run(tmp_path, resume=True, default_hooks=BY_ITERATION)
    assert checkpoint_differences(straight['iteration'], last(tmp_path)) == []


def workers(number, persistent):
    loader = config('unused', CONV).train_dataloader
    return {**loader, 'num_workers': number, 'persistent_workers': persistent}


@pytest.mark.parametrize('persistent', [False, True])
def test_workers_change_nothing(persistent, straight, tmp_path):
    """Reliability test 10: neither in an undisturbed run nor in one that was cut off."""
    loader = workers(2, persistent)
    run(tmp_path, plug=PullThePlug(6), default_hooks=BY_ITERATION, train_dataloader=loader)
    run(tmp_path, resume=True, default_hooks=BY_ITERATION, train_dataloader=loader)
    assert checkpoint_differences(straight['iteration'], last(tmp_path)) == []


@pytest.mark.parametrize(
    'options',
    [
        dict(hooks=[dict(type='EMAHook', momentum=0.1)], views=1),
        dict(optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9), accumulative_counts=3)),
        dict(optim_wrapper=dict(type='icckd_mm.Bfloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9))),
        dict(
            optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.01)),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=2, convert_to_iter_based=True),
                dict(type='CosineAnnealingLR', by_epoch=True, T_max=4),
            ],
        ),
        dict(param_scheduler=dict(type='OneCycleLR', eta_max=0.1, total_steps=16, by_epoch=False)),
        dict(
            model=dict(
                CONV,
                backbone=dict(type='MobileNetV3', arch='small_075'),
                head=dict(
                    type='StackedLinearClsHead',
                    num_classes=10,
                    in_channels=432,
                    mid_channels=[16],
                    dropout_rate=0.5,
                    loss=dict(type='CrossEntropyLoss'),
                ),
            ),
            hooks=[],
            views=1,
            scale=32,
        ),
    ],
    ids=['EMA', 'accumulated gradients', 'bfloat16', 'two schedulers', 'OneCycleLR', 'dropout'],
)
def test_all_that_decides_the_future_is_kept(options, tmp_path):
    """Reliability test 10: cut within an epoch; 3 iterations an update do not divide 7 or 16."""
    run(tmp_path / 'straight', default_hooks=BY_ITERATION, **options)
    run(tmp_path / 'split', plug=PullThePlug(7), default_hooks=BY_ITERATION, **options)
    run(tmp_path / 'split', resume=True, default_hooks=BY_ITERATION, **options)
    assert checkpoint_differences(last(tmp_path / 'straight'), last(tmp_path / 'split')) == []


def test_the_student_stage(tmp_path):
    train(tmp_path / 'teacher', CONV)
    student = dict(
        type='icckd_mm.SafeTeacherDistill',
        _scope_='mmrazor',
        data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', **NORM),
        architecture={**CONV, '_scope_': 'mmpretrain'},
        teacher={**CONV, '_scope_': 'mmpretrain'},
        teacher_ckpt=str(tmp_path / 'teacher' / 'epoch_1.pth'),
        distiller=dict(
            type='ConfigurableDistiller',
            student_recorders=dict(fc=dict(type='ModuleOutputs', source='head.fc')),
            teacher_recorders=dict(fc=dict(type='ModuleOutputs', source='head.fc')),
            distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4)),
            loss_forward_mappings=dict(
                loss_kl=dict(preds_S=dict(from_student=True, recorder='fc'), preds_T=dict(from_student=False, recorder='fc'))
            ),
        ),
    )
    options = dict(model=student, hooks=(), views=1, default_hooks=BY_ITERATION)
    run(tmp_path / 'straight', **options)
    run(tmp_path / 'split', plug=PullThePlug(7), **options)
    run(tmp_path / 'split', resume=True, **options)
    assert checkpoint_differences(last(tmp_path / 'straight'), last(tmp_path / 'split')) == []


def test_a_seed_of_the_machines_choice_is_taken_from_the_checkpoint(tmp_path):
    run(tmp_path / 'split', plug=PullThePlug(6), default_hooks=BY_ITERATION, randomness=dict(seed=None))
    seed = last(tmp_path / 'split')['meta']['seed']
    run(tmp_path / 'split', resume=True, default_hooks=BY_ITERATION, randomness=dict(seed=None))
    run(tmp_path / 'straight', default_hooks=BY_ITERATION, randomness=dict(seed=seed))
    assert checkpoint_differences(last(tmp_path / 'straight'), last(tmp_path / 'split')) == []


def test_another_batch_size_goes_on_from_the_end_of_an_epoch_only(tmp_path):
    run(tmp_path / 'epoch', epochs=1, validate=False, default_hooks=checkpoint_hook())
    runner, steps = run(tmp_path / 'epoch', epochs=2, batch=4, resume=True, validate=False, default_hooks=checkpoint_hook())
    assert (runner.iter, len(steps)) == (16, 8)
    run(tmp_path / 'middle', plug=PullThePlug(2), validate=False, default_hooks=BY_ITERATION)
    with pytest.raises(ValueError, match='at iteration 2 of 4 of an epoch, which now has 8'):
        run(tmp_path / 'middle', batch=4, resume=True, validate=False, default_hooks=BY_ITERATION)


def test_files_of_the_stock_loop_and_hook_can_be_gone_on_from(tmp_path):
    stock = dict(checkpoint=dict(type='CheckpointHook', interval=1))
    train(tmp_path, epochs=1, default_hooks=stock)
    runner, steps = run(tmp_path, epochs=3, resume=True, validate=False)
    assert (runner.iter, len(steps)) == (12, 8)


def test_the_loop_builds_its_loader_itself(tmp_path):
    runner = build(tmp_path)
    with pytest.raises(TypeError, match='got a DataLoader; give train_dataloader as a dict'):
        ExactTrainLoop(runner, torch.utils.data.DataLoader([1, 2, 3]), max_epochs=1)
