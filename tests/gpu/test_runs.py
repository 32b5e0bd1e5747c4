"""Whole runs on the device: half precision, resume, compilation, one process of NCCL."""

import os

import pytest
import torch
import torch.distributed as dist
from mmengine.hooks import Hook

from icckd_mm.engine.exact.checkpoint_difference import checkpoint_differences
from icckd_mm.teacher.second_views import SECOND_VIEWS
from tests.helpers import ICC, train
from tests.processes import free_port

pytestmark = pytest.mark.gpu
EXACT = dict(type='icckd_mm.ExactTrainLoop', max_epochs=2)
GUARDED = dict(
    checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1),
    finite_guard=dict(type='icckd_mm.FiniteGuardHook', interval=4),
)
EXACTLY = dict(seed=0, deterministic=True)
SGD = dict(type='SGD', lr=0.01, momentum=0.9)


def views_of(second_view):
    return SECOND_VIEWS[second_view].loader_views


@pytest.mark.parametrize('second_view', SECOND_VIEWS)
@pytest.mark.parametrize(
    'wrapper',
    [
        dict(dtype='float16'),
        dict(dtype='bfloat16'),
        dict(dtype='bfloat16', loss_scale=dict(enabled=False), optimizer=dict(SGD, fused=True)),
    ],
    ids=['fp16', 'bf16', 'bf16-no-scaler-fused'],
)
def test_a_teacher_trains_in_half_precision(wrapper, second_view, cuda, tmp_path):
    """Guarded. Losses are near those of single precision; weights and queue stay in it, each image is enqueued once."""
    hook = dict(ICC, second_view=second_view, loss=dict(ICC['loss'], loss_weight=0.5, queue_size=64))
    options = dict(views=views_of(second_view), default_hooks=GUARDED)
    _, plain = train(tmp_path / 'plain', hooks=[hook], **options)
    amp = {'type': 'AmpOptimWrapper', 'optimizer': SGD, **wrapper}
    runner, steps = train(tmp_path / 'amp', hooks=[hook], optim_wrapper=amp, **options)
    for one, other in zip(steps, plain):
        assert one['loss'] == pytest.approx(other['loss'], rel=0.1, abs=0.1)
    assert steps[1]['loss_icc'] == pytest.approx(plain[1]['loss_icc'], rel=0.1, abs=0.05)
    assert {weight.dtype for weight in runner.model.parameters()} == {torch.float32}
    queue = runner.model.icc_loss.queue
    assert queue.queue.dtype == torch.float32
    assert int(queue.filled.sum()) == 32
    norms = queue.queue.norm(dim=2)[torch.arange(64, device=cuda) < queue.filled[:, None]]
    torch.testing.assert_close(norms, torch.ones_like(norms))


def test_an_overflow_under_a_scaler_is_not_a_fault(cuda, tmp_path):
    """A scale far too high: its first updates overflow, the scaler lowers it, the deferred guard lets the run end."""
    amp = dict(type='AmpOptimWrapper', dtype='float16', optimizer=SGD, loss_scale=dict(init_scale=2.0**40, backoff_factor=0.01))
    runner, steps = train(tmp_path, optim_wrapper=amp, default_hooks=GUARDED, images=96)
    assert runner.optim_wrapper.loss_scaler.get_scale() < 2.0**40
    assert all(weight.isfinite().all() for weight in runner.model.parameters())
    assert len(steps) == 12


class StopAfter(Hook):
    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            raise KeyboardInterrupt


@pytest.mark.parametrize('second_view', SECOND_VIEWS)
def test_a_resumed_run_is_bit_identical_with_deterministic_algorithms(second_view, device, tmp_path):
    """Interrupted within an epoch; the whole checkpoint is compared, optimizer, queue and generators included."""
    hooks = [dict(ICC, second_view=second_view, loss=dict(ICC['loss'], loss_weight=0.5))]
    saving = dict(GUARDED, checkpoint=dict(type='icckd_mm.ExactCheckpointHook', by_epoch=False, interval=1, max_keep_ckpts=1))
    options = dict(train_cfg=EXACT, views=views_of(second_view), randomness=EXACTLY, default_hooks=saving)
    train(tmp_path / 'straight', hooks=hooks, **options)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / 'run', hooks=[*hooks, StopAfter(3)], **options)
    train(tmp_path / 'run', hooks=hooks, resume=True, **options)
    first, second = (torch.load(tmp_path / name / 'iter_8.pth', weights_only=True) for name in ('straight', 'run'))
    assert checkpoint_differences(first, second) == []


def test_a_compiled_run_is_the_eager_run(device, tmp_path):
    """With TorchInductor on a GPU; within 1 % after four steps, the queue in the same state."""
    options = dict(default_hooks=GUARDED, randomness=EXACTLY)
    eager, eager_steps = train(tmp_path / 'eager', **options)
    torch._dynamo.reset()
    backend = 'inductor' if device == 'cuda' else 'aot_eager'
    compiled, compiled_steps = train(tmp_path / 'compiled', compile=dict(backend=backend), **options)
    for one, other in zip(compiled_steps, eager_steps):
        assert one['loss'] == pytest.approx(other['loss'], rel=1e-2, abs=1e-3)
        assert one['loss_icc'] == pytest.approx(other['loss_icc'], rel=1e-2, abs=1e-3)
    assert torch.equal(compiled.model.icc_loss.queue.filled, eager.model.icc_loss.queue.filled)


def test_one_process_of_a_group_trains_as_without_it(device, tmp_path, monkeypatch):
    """NCCL on a GPU, gloo otherwise; the model is in its DDP wrapper, the bank and the queue pass the collectives."""
    place = dict(RANK=0, LOCAL_RANK=0, WORLD_SIZE=1, MASTER_ADDR='127.0.0.1', MASTER_PORT=free_port())
    for name, value in place.items():
        monkeypatch.setenv(name, str(value))
    options = dict(randomness=EXACTLY, default_hooks=GUARDED)
    _, alone = train(tmp_path / 'alone', **options)
    try:
        runner, grouped = train(
            tmp_path / 'grouped', launcher='pytorch', env_cfg=dict(dist_cfg=dict(backend='nccl')), **options
        )
        assert dist.get_backend() == ('nccl' if device == 'cuda' else 'gloo')
        assert type(runner.model).__name__ == 'MMDistributedDataParallel'
        gathered = [torch.empty(3, device=device)]
        dist.all_gather(gathered, torch.arange(3.0, device=device))
        assert gathered[0].tolist() == [0, 1, 2]
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
    assert os.environ['WORLD_SIZE'] == '1'
    for one, other in zip(grouped, alone):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-5)
