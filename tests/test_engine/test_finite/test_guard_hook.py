import copy
import math

import numpy as np
import pytest
import torch
from mmcv.transforms import TRANSFORMS, BaseTransform
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict

from icckd_mm.engine.finite.guard_hook import FiniteGuardHook
from icckd_mm.engine.finite.non_finite import NonFiniteError, bad_rows
from tests.helpers import ICC, build, config, train

CROP = dict(type='CenterCrop', crop_size=8)
SGD = dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.01)


@TRANSFORMS.register_module()
class Spoil(BaseTransform):
    """Puts a NaN into one image, or an infinity."""

    def __init__(self, index, value='nan'):
        self.index, self.value = index, float(value)

    def transform(self, results):
        results['img'] = results['img'].astype('float32')
        if results['sample_idx'] in self.index:
            results['img'][2, 3] = self.value
        return results


class Watch(Hook):
    """Copies of weights, statistics, optimizer state and queue after each step."""

    priority = 'LOWEST'

    def __init__(self):
        self.before, self.after = {}, {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.batch = data_batch
        self.before[runner.iter] = snapshot(runner)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.after[runner.iter] = snapshot(runner)


class Break(Hook):
    """At the given iterations the gradient of a weight is NaN although the loss is finite."""

    def __init__(self, *iterations, name='backbone.conv1.weight', value=float('nan')):
        self.iterations, self.name, self.value = iterations, name, value

    def before_train(self, runner):
        def spoil(grad):
            return grad * self.value if runner.iter in self.iterations else grad

        dict(runner.model.named_parameters())[self.name].register_hook(spoil)


def snapshot(runner):
    return copy.deepcopy((runner.model.state_dict(), runner.optim_wrapper.optimizer.state_dict()['state']))


def same(first, second, *, but=()):
    (weights, momentum), (other, other_momentum) = first, second
    kept = [name for name in weights if not name.startswith(but or ('\0',))]
    return all(torch.equal(weights[name], other[name]) for name in kept) and all(
        torch.equal(torch.as_tensor(value), torch.as_tensor(other_momentum[key][name]))
        for key, entry in momentum.items()
        for name, value in entry.items()
    )


def finite(runner):
    weights, optimizer = snapshot(runner)
    tensors = [*weights.values(), *(value for entry in optimizer.values() for value in entry.values())]
    return all(torch.as_tensor(tensor).isfinite().all() for tensor in tensors)


def guarded(work_dir, index=(), value='nan', guard=None, views=2, **options):
    """Options of a run in order, without chance in the data, in which some images are spoiled."""
    crop = [CROP, dict(type='Spoil', index=list(index), value=value)]
    augment = [dict(type='MultiView', num_views=2, transforms=[crop])] if views == 2 else crop
    loader = config(work_dir, views=views).train_dataloader
    loader.update(options.pop('loader', {}))
    loader['sampler']['shuffle'] = False
    loader['dataset'].update(pipeline=[*augment, dict(type='PackInputs')])
    hooks = dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1, **options.pop('checkpoint', {})))
    hooks['finite_guard'] = dict(type='icckd_mm.FiniteGuardHook', **({'mode': 'off'} if guard is None else guard))
    return dict(train_dataloader=loader, default_hooks=hooks, views=views, **options)


MODES = dict(immediate=dict(mode='immediate'), deferred=dict(mode='deferred', interval=3))
EACH_MODE = pytest.mark.parametrize('mode', MODES.values(), ids=MODES)


def refused(runner):
    with pytest.raises(NonFiniteError) as caught:
        runner.train()
    assert '\n' not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(('mode', 'value'), [(MODES['immediate'], 'nan'), (MODES['deferred'], 'inf')], ids=MODES)
def test_a_bad_image_is_found_before_the_update(mode, value, tmp_path):
    """Reliability test 14: iteration, loss, module and image are named; nothing of the batch reaches weights or queue."""
    watch = Watch()
    runner = build(tmp_path, hooks=[ICC, watch], epochs=2, **guarded(tmp_path, [13], value, guard=mode))
    error = refused(runner)
    assert (error.iteration, error.module, error.samples) == (2, 'data_preprocessor', [13])
    assert error.losses == ['loss']  # the intra-class loss is finite: no anchor with NaN logits passes the gate
    assert 'iteration 2 (epoch 1): loss = nan; first bad module: the images' in str(error)
    assert runner.iter == (1 if mode is MODES['immediate'] else 2)
    assert finite(runner)
    assert same(watch.before[1], watch.before.get(2) or snapshot(runner), but=() if 2 not in watch.before else ('backbone.',))
    # batch norm makes every row of that batch NaN, so none is enqueued
    assert runner.model.icc_loss.queue.filled.sum() == 8 * runner.iter


def test_without_the_guard_the_run_goes_on_and_saves_nan(tmp_path):
    """What mmengine does by itself; the tests above would pass on an empty hook if this did not happen."""
    runner, steps = train(tmp_path, **guarded(tmp_path, [13]))
    assert not finite(runner)
    assert math.isnan(steps[-1]['loss'])
    assert not torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']['head.fc.weight'].isfinite().all()


@EACH_MODE
def test_a_skipped_update_leaves_weights_and_optimizer_as_they_are(mode, tmp_path):
    """Momentum and weight decay, too; its finite features stay in the queue. Bad gradients at the first step and two later."""
    watch = Watch()
    runner, _ = train(
        tmp_path,
        epochs=2,
        hooks=[ICC, watch, Break(0, 3, 4)],
        optim_wrapper=dict(optimizer=SGD),
        **guarded(tmp_path, guard=dict(skip=3, **mode)),
    )
    assert runner.message_hub.get_info('finite_guard_skipped') == 3
    assert finite(runner)
    for iteration in (0, 3, 4):
        before, after = watch.before[iteration], watch.after[iteration]
        # the queue has the batch; deferred, statistics return at the next look
        assert same(before, after, but=('icc_loss.',) if mode is MODES['immediate'] else ('icc_loss.', 'backbone.'))
        assert all(torch.equal(before[0][name], after[0][name]) for name, _ in runner.model.named_parameters())
        assert not torch.equal(before[0]['icc_loss.queue.queue'], after[0]['icc_loss.queue.queue'])
    for iteration in (1, 2, 5, 6, 7):
        assert not torch.equal(*(moment[iteration][0]['head.fc.weight'] for moment in (watch.before, watch.after)))


@EACH_MODE
def test_a_skipped_image_leaves_batch_norm_finite(mode, tmp_path):
    runner, _ = train(tmp_path, hooks=[], epochs=2, **guarded(tmp_path, [13], guard=dict(skip=2, **mode), views=1))
    assert finite(runner)
    assert runner.message_hub.get_info('finite_guard_skipped') == 2
    for file in tmp_path.glob('epoch_*.pth'):
        assert all(value.isfinite().all() for value in torch.load(file, weights_only=True)['state_dict'].values())


@EACH_MODE
def test_a_bad_gradient_is_named_by_its_parameter(mode, tmp_path):
    """All outputs are finite; of the gradients, the first one that the backward pass meets."""
    runner = build(tmp_path, hooks=[Break(1, name='backbone.layer2.0.conv2.weight')], **guarded(tmp_path, guard=mode, views=1))
    error = refused(runner)
    assert (error.iteration, error.losses, error.module) == (2, [], 'backbone.layer2.0.conv2.weight')
    assert error.samples == list(range(8, 16))
    assert 'the gradient is not finite; first bad module: none' in str(error)


@EACH_MODE
def test_a_bad_module_is_named(mode, tmp_path):
    runner = build(tmp_path, hooks=[], **guarded(tmp_path, guard=mode, views=1))
    runner.model.backbone.layer2[0].bn1.register_forward_hook(lambda _, __, output: output / (runner.iter < 2))
    error = refused(runner)
    assert (error.iteration, error.losses) == (3, ['loss'])
    assert error.module == 'backbone.layer2.0.bn1'


@EACH_MODE
def test_a_huge_learning_rate_is_stopped_and_no_bad_file_is_written(mode, tmp_path):
    """Reliability test 14: every checkpoint that exists is finite."""
    runner = build(
        tmp_path,
        epochs=3,
        hooks=[ICC],
        optim_wrapper=dict(optimizer=dict(SGD, lr=1e20)),
        **guarded(tmp_path, guard=mode, checkpoint=dict(by_epoch=False)),
    )
    error = refused(runner)
    assert error.module
    assert 'learning rate' in str(error)
    assert runner.model.icc_loss.queue.queue.isfinite().all()
    files = list(tmp_path.glob('iter_*.pth'))
    assert files
    for file in files:
        assert all(value.isfinite().all() for value in torch.load(file, weights_only=True)['state_dict'].values())
    assert str(files[0].parent) in str(error)


class Ruin(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 7:
            with torch.no_grad():
                runner.model.head.fc.bias[0] = float('inf')


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    runner = build(tmp_path, epochs=2, hooks=[Ruin()], **guarded(tmp_path, guard={}, views=1))
    error = refused(runner)
    assert (error.iteration, error.module) == (8, 'head.fc.bias')
    assert [file.name for file in tmp_path.glob('*.pth')] == ['epoch_1.pth']
    assert 'epoch_1.pth' in str(error)


@EACH_MODE
def test_without_a_fault_nothing_changes(mode, tmp_path):
    """Weights, statistics, optimizer, queue and the draws of random numbers, bit for bit; validation in between."""
    runs = [train(tmp_path / str(guard), epochs=2, validate=True, **options(guard))[0] for guard in (dict(mode='off'), mode)]
    assert same(*map(snapshot, runs))
    assert 'finite_guard_skipped' not in runs[1].message_hub.runtime_info


def options(guard):
    return dict(
        default_hooks=dict(
            checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1),
            finite_guard=dict(type='icckd_mm.FiniteGuardHook', **guard),
        )
    )


@EACH_MODE
def test_the_search_leaves_no_trace(mode, tmp_path):
    """The batch is run again to find the module; the queue and the random numbers are those of a run that does not look."""
    ends = []
    for name, guard in (('guarded', dict(skip=9, **mode)), ('off', dict(mode='off'))):
        watch = Watch()
        train(tmp_path / name, hooks=[ICC, watch, Break(2)], **options(guard))
        queue = [watch.after[2][0][f'icc_loss.queue.{key}'] for key in ('queue', 'ptr', 'filled')]
        ends.append([*queue, torch.get_rng_state(), torch.as_tensor(np.random.get_state()[1].astype('int64'))])
    assert all(map(torch.equal, *ends))


@pytest.mark.parametrize(('mode', 'skip'), [(MODES['immediate'], 1), (MODES['immediate'], 2), (MODES['deferred'], 2)])
def test_the_count_of_skipped_updates_is_resumed(mode, skip, tmp_path):
    """One bad image is met in each epoch: with skip=1 the second epoch stops, whether or not the run was resumed."""
    common = dict(hooks=[], **guarded(tmp_path, [13], guard=dict(skip=skip, **mode), views=1))
    train(tmp_path / 'split', **copy.deepcopy(common))
    runs = []
    for name, resume in (('split', True), ('straight', False)):
        runner = build(tmp_path / name, epochs=2, resume=resume, **copy.deepcopy(common))
        runs.append(runner)
        if skip == 1:
            assert refused(runner).iteration == 6
        else:
            runner.train()
    assert same(*map(snapshot, runs))


@pytest.mark.parametrize('mode', [MODES['deferred']])
def test_a_student_is_guarded_and_its_losses_are_named(mode, tmp_path):
    pytest.importorskip('mmrazor')
    from tests.test_distill.cases import algorithm, weights

    model = algorithm(weights(tmp_path / 'teacher.pth'))
    runner = build(tmp_path, model, hooks=[], **guarded(tmp_path, [13], guard=mode, views=1))
    error = refused(runner)
    assert (error.iteration, error.module, error.samples) == (2, 'data_preprocessor', [13])
    assert error.losses == ['loss', 'student.loss', 'distill.loss_kl']
    assert finite(runner)


def test_a_compiled_run_is_guarded(tmp_path):
    torch._dynamo.reset()
    run = guarded(tmp_path, [13], guard={}, views=1)
    runner = build(tmp_path, hooks=[], compile=dict(backend='eager'), **run)
    error = refused(runner)
    assert (error.iteration, error.module, error.samples) == (2, 'data_preprocessor', [13])
    assert finite(runner)


def test_accumulated_updates_are_named_by_the_bad_batch(tmp_path):
    """The third of four batches; the first update was made, the second, of batches three and four, was not."""
    watch = Watch()
    wrapper = dict(optimizer=SGD, accumulative_counts=2, clip_grad=dict(max_norm=1.0))
    runner = build(tmp_path, hooks=[watch], optim_wrapper=wrapper, **guarded(tmp_path, [20], guard={}, views=1))
    error = refused(runner)
    assert (error.iteration, error.module, error.samples) == (3, 'data_preprocessor', [20])
    assert torch.equal(watch.before[2][0]['head.fc.weight'], runner.model.head.fc.weight)
    assert not torch.equal(watch.before[0][0]['head.fc.weight'], runner.model.head.fc.weight)


def test_only_training_is_guarded(tmp_path):
    """Validation of a bad image goes through, before, in between and after training."""
    runner = build(tmp_path, validate=True, **options({}))
    runner.val_dataloader.dataset.pipeline.transforms.insert(0, Spoil(range(99)))
    own = runner.val()
    runner.train()
    assert runner.val().keys() == own.keys()
    assert runner.optim_wrapper.step.__func__ is OptimWrapper.step


def test_wrong_arguments_are_named(tmp_path):
    for arguments, message in (
        (dict(interval=0), 'interval must be an integer of at least 1, got 0'),
        (dict(interval=1.5), 'interval must be an integer'),
        (dict(skip=-1), 'skip must be an integer of at least 0, got -1'),
        (dict(mode='cuda'), "'immediate', 'deferred' or 'off', got 'cuda'"),
    ):
        with pytest.raises(ValueError, match=message):
            FiniteGuardHook(**arguments)
    runner = build(tmp_path, **options({}))
    wrapper = OptimWrapper(torch.optim.SGD(runner.model.parameters(), lr=0.1))
    runner.optim_wrapper = OptimWrapperDict(net=wrapper)
    with pytest.raises(ValueError, match='guards one optimizer, got OptimWrapperDict'):
        FiniteGuardHook().before_train(runner)


def test_rows_of_nested_outputs():
    bad = torch.tensor([[0.0, 1.0], [float('nan'), 0.0], [0.0, float('inf')]])
    assert bad_rows(bad) == [1, 2]
    assert bad_rows(dict(loss=torch.tensor(1.0), feats=(torch.zeros(2), [bad]))) == [1, 2]
    assert bad_rows(torch.tensor(float('nan'))) == [0]
    assert bad_rows([torch.arange(3), None, 'text', torch.zeros(0, 3)]) == []
