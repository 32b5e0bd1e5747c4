"""Real runners; nothing is trained where a hook or a wrapper is refused."""

import copy

import pytest
import torch
from mmengine.dist import init_dist
from mmengine.hooks import EMAHook
from mmengine.model import ExponentialMovingAverage
from mmengine.registry import DATA_SAMPLERS, RUNNERS

from icckd_mm.models import ClassQueue
from tests.helpers import CONV, build, config, equal, state, train
from tests.processes import free_port

EMA = dict(type='EMAHook', momentum=0.3)
REFUSED = {
    'SyncBuffersHook': ([dict(type='SyncBuffersHook')], {}, r"SyncBuffersHook averages all buffers .*sync_bn='torch'"),
    'in a slot of default_hooks': (
        [],
        dict(default_hooks=dict(sync_buffers=dict(type='SyncBuffersHook'))),
        r'SyncBuffersHook averages all buffers',
    ),
    'EMAHook': (
        [dict(EMA, update_buffers=True)],
        {},
        r'EMAHook\(update_buffers=True\) .*not unit vectors; leave update_buffers out',
    ),
    'a subclass': (
        [dict(type='mmpretrain.EMAHook', momentum=0.3, update_buffers=True)],
        {},
        r'EMAHook\(update_buffers=True\) averages',
    ),
}


@pytest.mark.parametrize('case', REFUSED)
def test_hooks_that_average_the_queue_are_refused_before_the_first_step(case, tmp_path):
    """Reliability test 12."""
    hooks, options, message = REFUSED[case]
    cfg = config(tmp_path, **options)
    runner = build(tmp_path, hooks=(*cfg.custom_hooks, *hooks), **options)
    before = state(runner.model)
    with pytest.raises(ValueError, match=message):
        runner.train()
    assert runner.iter == 0
    assert equal(state(runner.model), before)


def test_what_such_averages_are():
    """Why it is refused: the mean of two unit rows is not a unit row. Needed as long as mmengine averages buffers."""
    queue = ClassQueue(1, 1, 2)
    averaged = ExponentialMovingAverage(queue, momentum=0.5, update_buffers=True)
    for row in ([1.0, 0.0], [0.0, 1.0]):
        queue.enqueue(torch.tensor([row]), torch.tensor([0]))
        averaged.update_parameters(queue)
    assert averaged.module.queue.norm().item() == pytest.approx(0.5**0.5)


@pytest.mark.parametrize('begin', [0, 1])
def test_ema_without_buffers_leaves_the_queue_as_it_is(begin, tmp_path):
    """Reliability test 12: queue, pointers and weights are bit-identical to those without EMA, the queue of the copy too."""
    plain, _ = train(tmp_path / 'plain', epochs=2)
    hook = EMAHook(momentum=0.3, begin_epoch=begin)
    averaged, _ = train(tmp_path / 'ema', epochs=2, hooks=(dict(plain.cfg.custom_hooks[0]), hook))
    assert int(plain.model.icc_loss.queue.filled.sum()) > 0
    assert equal(state(averaged.model), state(plain.model))
    assert equal(state(hook.ema_model.module.icc_loss), state(plain.model.icc_loss))
    assert not torch.equal(hook.ema_model.module.head.fc.weight, plain.model.head.fc.weight)


@pytest.mark.parametrize('strategy', ['SingleDeviceStrategy', 'DDPStrategy', 'FSDPStrategy'])
def test_the_flexible_runner_is_refused(strategy, tmp_path, monkeypatch):
    """It loads a checkpoint before the queue is there. FSDP itself wants a GPU, so its runner is checked before it wraps."""
    for name, value in dict(RANK=0, LOCAL_RANK=0, WORLD_SIZE=1, MASTER_ADDR='127.0.0.1', MASTER_PORT=free_port()).items():
        monkeypatch.setenv(name, str(value))
    cfg = config(
        tmp_path, runner_type='FlexibleRunner', strategy=dict(type=strategy), env_cfg=dict(dist_cfg=dict(backend='nccl'))
    )
    cfg.launcher = 'none' if strategy == 'SingleDeviceStrategy' else 'pytorch'
    cfg.experiment_name = f'flexible-{strategy}'
    try:
        runner = RUNNERS.build(cfg)
        with pytest.raises(
            ValueError, match=r'needs the plain Runner, got FlexibleRunner: .*FSDP.*leave out runner_type and strategy'
        ):
            runner.call_hook('before_run') if strategy == 'FSDPStrategy' else runner.train()
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def test_a_wrapper_other_than_ddp_is_refused(tmp_path, monkeypatch):
    """FSDP and DeepSpeed need a GPU; this wrapper of mmengine needs none and is not DistributedDataParallel either."""
    for name, value in dict(RANK=0, LOCAL_RANK=0, WORLD_SIZE=1, MASTER_ADDR='127.0.0.1', MASTER_PORT=free_port()).items():
        monkeypatch.setenv(name, str(value))
    init_dist('pytorch', backend='gloo')
    try:
        wrapper = dict(type='mmengine.MMSeparateDistributedDataParallel')
        runner = build(tmp_path, launcher='pytorch', model_wrapper_cfg=wrapper)
        with pytest.raises(ValueError, match='works with MMDistributedDataParallel, got the model in a MMSeparate'):
            runner.train()
    finally:
        torch.distributed.destroy_process_group()


def test_the_batch_size_is_read_from_the_loader(tmp_path):
    """Then no process has to ask the others each step."""
    runner, _ = train(tmp_path)
    assert runner.model.icc_loss.batch_size == 8


def test_a_loader_that_does_not_tell_leaves_it_open(tmp_path):
    class Two:
        def __init__(self, sampler, batch_size, **_):
            self.sampler = sampler

        def __iter__(self):
            return iter([[0, 1, 2], [3]])

        def __len__(self):
            return 2

    DATA_SAMPLERS.register_module(module=Two, force=True)
    cfg = config(tmp_path)
    loader = copy.deepcopy(cfg.train_dataloader)
    loader.batch_sampler = dict(type='mmengine.Two')
    runner, steps = train(tmp_path, CONV, train_dataloader=loader)
    assert runner.model.icc_loss.batch_size is None
    assert len(steps) == 2
