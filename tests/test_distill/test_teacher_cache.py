"""Students that read their teacher's logits from the disk are those that ran the teacher."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from icckd_mm.distill.hooks.teacher_cache_hook import TeacherCacheHook
from icckd_mm.distill.teacher_cache import TeacherCache
from icckd_mm.engine.runner_utils import unwrapped
from tests.helpers import build, config, equal, state, train
from tests.test_distill.cases import CONNECTED, KL, LOGITS, algorithm, weights

EXACT = dict(type='icckd_mm.ExactTrainLoop', max_epochs=2)
STILL = [dict(type='PackInputs')]


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'teacher.pth')


class Passes(Hook):
    """Counts the images that went through the teacher in training."""

    def __init__(self):
        self.images = 0

    def before_train(self, runner):
        unwrapped(runner).teacher.backbone.register_forward_hook(self.count)

    def count(self, module, inputs, output):
        self.images += len(inputs[0])


def student(work_dir, teacher, *hooks, distiller=KL, pipeline=None, loader=None, loop=EXACT, **options):
    """A run of two epochs of four steps; its steps and how many images the teacher saw."""
    passes = Passes()
    given = config(work_dir, algorithm(teacher, distiller=distiller), views=1, epochs=2)
    data = given.train_dataloader.to_dict()
    if pipeline:
        data['dataset']['pipeline'] = pipeline
    if loader:
        data = dict(type=loader, batch_size=data['batch_size'], dataset=data['dataset'])
    torch.manual_seed(0)
    runner, steps = train(
        work_dir,
        algorithm(teacher, distiller=distiller),
        hooks=[*hooks, passes],
        views=1,
        train_dataloader=data,
        train_cfg=loop,
        **options,
    )
    return runner, steps, passes.images


@pytest.mark.parametrize('loader', [None, 'icckd_mm.DeviceLoader'])
def test_the_second_student_does_not_run_the_teacher_and_is_bit_for_bit_the_same(loader, teacher, tmp_path):
    """With random crops: each epoch is a separate view, and both students equal the one without cache."""
    plain, steps, images = student(tmp_path / 'plain', teacher, loader=loader)
    hook = dict(type='icckd_mm.TeacherCacheHook', folder=str(tmp_path / 'cache'), dtype='float32')
    first = student(tmp_path / 'first', teacher, TeacherCacheHook(hook['folder'], hook['dtype']), loader=loader)
    second = student(tmp_path / 'second', teacher, TeacherCacheHook(hook['folder'], hook['dtype']), loader=loader)
    assert (images, first[2], second[2]) == (64, 64, 0)
    assert steps == first[1] == second[1]
    assert equal(state(plain.model.student), state(second[0].model.student))
    views = [np.load(tmp_path / f'cache/view-000{view}.npy') for view in range(2)]
    assert not np.array_equal(*views)  # the crops of two epochs
    assert sorted(path.name for path in (tmp_path / 'cache').iterdir()) == ['key.json', 'view-0000.npy', 'view-0001.npy']


def test_without_augmentation_all_epochs_and_seeds_share_one_view(teacher, tmp_path):
    options = dict(pipeline=STILL, loop=dict(by_epoch=True, max_epochs=2))
    first = student(tmp_path / 'a', teacher, TeacherCacheHook(str(tmp_path / 'cache'), 'float32'), **options)
    plain = student(tmp_path / 'b', teacher, **options)
    other = student(
        tmp_path / 'c', teacher, TeacherCacheHook(str(tmp_path / 'cache'), 'float32'), **options, randomness=dict(seed=5)
    )
    assert (first[2], plain[2], other[2]) == (32, 64, 0)
    for ours, theirs in zip(first[1], plain[1]):  # in the second epoch the rows stand in other batches
        assert ours == pytest.approx(theirs, rel=1e-5)


def test_the_rows_are_the_teachers_logits_and_half_precision_is_close(teacher, tmp_path):
    """Against a pass of the teacher over the data set, image by image."""
    runner, *_ = student(tmp_path / 'a', teacher, TeacherCacheHook(str(tmp_path / 'half')), pipeline=STILL)
    rows = np.load(tmp_path / 'half/view-0000.npy')
    assert rows.dtype == np.float16
    model = runner.model.eval()
    for index in range(32):
        sample = runner.train_dataloader.dataset[index]
        image = model.data_preprocessor(dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']]))['inputs']
        expected = model.teacher(image, mode='tensor')[0]
        np.testing.assert_allclose(rows[index], expected.detach(), rtol=1e-3, atol=1e-3)
    exact = student(tmp_path / 'b', teacher, pipeline=STILL)[1]
    for ours, theirs in zip(
        student(tmp_path / 'c', teacher, TeacherCacheHook(str(tmp_path / 'half')), pipeline=STILL)[1], exact
    ):
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-4)


def test_validation_runs_the_teacher(teacher, tmp_path):
    """The cache knows training images only."""
    hook = TeacherCacheHook(str(tmp_path / 'cache'))
    student(tmp_path / 'a', teacher, hook)
    runner, *_ = student(tmp_path / 'b', teacher, TeacherCacheHook(str(tmp_path / 'cache')))
    images = torch.randn(3, 3, 8, 8)
    fresh = build(tmp_path / 'c', algorithm(teacher), hooks=(), views=1).model
    assert torch.equal(runner.model.teacher(images, mode='tensor'), fresh.eval().teacher(images, mode='tensor'))


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        (dict(randomness=dict(seed=3)), 'augmentation: RepeatableLoader, seed 0 there, RepeatableLoader, seed 3 now'),
        (dict(loader='icckd_mm.DeviceLoader'), 'augmentation: RepeatableLoader, seed 0 there, DeviceLoader, seed 0 now'),
        (dict(pipeline=[dict(type='RandomCrop', crop_size=8, padding=2), *STILL]), 'data set and pipeline: '),
        (dict(teacher=9), 'teacher: '),
        (dict(dtype='float32'), 'dtype: float16 there, float32 now'),
    ],
)
def test_logits_of_something_else_are_refused_by_name(change, named, teacher, tmp_path):
    student(tmp_path / 'a', teacher, TeacherCacheHook(str(tmp_path / 'cache')))
    before = (tmp_path / 'cache/key.json').read_text()
    seed, dtype = change.pop('teacher', None), change.pop('dtype', 'float16')
    path = weights(tmp_path / 'other.pth', seed=seed) if seed else teacher
    with pytest.raises(ValueError, match='holds other logits') as error:
        student(tmp_path / 'b', path, TeacherCacheHook(str(tmp_path / 'cache'), dtype), **change)
    assert named in str(error.value)
    assert str(error.value).count(' there, ') == 1
    assert 'delete it or give another folder' in str(error.value)
    assert (tmp_path / 'cache/key.json').read_text() == before


class Stop(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 5:
            raise KeyboardInterrupt


def test_an_interrupted_view_is_not_kept_and_the_resumed_run_is_the_same(teacher, tmp_path):
    """Stopped in the second epoch after a checkpoint of the fourth of eight steps, then resumed from it."""
    whole = student(tmp_path / 'whole', teacher)
    hook = TeacherCacheHook(str(tmp_path / 'cache'), 'float32')
    with pytest.raises(KeyboardInterrupt):
        student(tmp_path / 'run', teacher, hook, Stop())
    assert sorted(path.name for path in (tmp_path / 'cache').iterdir()) == ['key.json', 'view-0000.npy']
    resumed = student(tmp_path / 'run', teacher, TeacherCacheHook(str(tmp_path / 'cache'), 'float32'), resume=True)
    assert resumed[1] == whole[1][4:]
    assert (tmp_path / 'cache/view-0001.npy').is_file()
    assert student(tmp_path / 'next', teacher, TeacherCacheHook(str(tmp_path / 'cache'), 'float32'))[1:] == (whole[1], 0)


def test_a_run_that_goes_on_within_an_epoch_does_not_keep_a_part_of_a_view(teacher, tmp_path):
    whole = student(tmp_path / 'whole', teacher)
    saving = dict(default_hooks=dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', by_epoch=False, interval=5)))
    with pytest.raises(KeyboardInterrupt):
        student(tmp_path / 'run', teacher, TeacherCacheHook(str(tmp_path / 'cache'), 'float32'), StopLater(), **saving)
    resumed = student(tmp_path / 'run', teacher, TeacherCacheHook(str(tmp_path / 'cache'), 'float32'), resume=True, **saving)
    assert resumed[1] == whole[1][5:]
    assert not (tmp_path / 'cache/view-0001.npy').exists()


class StopLater(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 6:
            raise KeyboardInterrupt


KILLED = """
import os, signal, torch
from icckd_mm.distill.teacher_cache import TeacherCache
from icckd_mm.engine.runner_utils import unwrapped
cache = TeacherCache({folder!r}, dict(teacher='a'), 3, 2)
cache.open(0)
cache.write([0, 1, 2], torch.ones(3, 2))
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
cache.close(keep=True)
"""


def test_a_kill_while_writing_leaves_no_half_view(tmp_path):
    done = subprocess.run([sys.executable, '-c', KILLED.format(folder=str(tmp_path))], check=False)
    assert done.returncode == -9
    assert not (tmp_path / 'view-0000.npy').exists()
    cache = TeacherCache(tmp_path, dict(teacher='a'), 3, 2)
    cache.open(0)
    assert cache.read([0]) is None
    cache.write([0, 1, 2], torch.ones(3, 2))
    cache.close(keep=True)
    cache.open(0)
    assert torch.equal(cache.read([2, 0]), torch.ones(2, 2))


def test_rows_that_were_left_out_are_not_made_up(tmp_path):
    """As with drop_last: a view is kept with what was seen."""
    cache = TeacherCache(tmp_path, {}, 3, 2)
    cache.open(0)
    cache.write([0, 2], torch.ones(2, 2))
    assert torch.equal(cache.read([2]), torch.ones(1, 2))  # an image that comes twice in an epoch
    cache.close(keep=True)
    cache.open(0)
    assert cache.read([0, 1]) is None
    cache.write([1], torch.zeros(1, 2))  # a file that is there stays
    assert cache.read([1]) is None
    assert torch.equal(cache.read([2]), torch.ones(1, 2))


def test_a_file_that_is_no_view_is_named(tmp_path):
    cache = TeacherCache(tmp_path, {}, 3, 2)
    np.save(tmp_path / 'view-0000.npy', np.zeros((2, 2), np.float16))
    with pytest.raises(ValueError, match=r'float16 \(2, 2\), not float16 \(3, 2\)'):
        cache.open(0)
    for content in (b'half a f', b''):
        (tmp_path / 'view-0000.npy').write_bytes(content)
        with pytest.raises(ValueError, match=r'view-0000\.npy cannot be read'):
            cache.open(0)
    with pytest.raises(ValueError, match="one of float16, float32, got 'int8'"):
        TeacherCache(tmp_path, {}, 3, 2, 'int8')
    with pytest.raises(ValueError, match="one of float16, float32, got 'int8'"):
        TeacherCacheHook(str(tmp_path), 'int8')
    assert set(json.loads((tmp_path / 'key.json').read_text())) == {'images', 'classes', 'dtype'}
    (tmp_path / 'key.json').write_text('{')
    with pytest.raises(ValueError, match=r'key\.json cannot be read'):
        TeacherCache(tmp_path, {}, 3, 2)


FEATURES = dict(KL, teacher_recorders=dict(**LOGITS, features=dict(type='ModuleInputs', source='head.fc')))


@pytest.mark.parametrize(
    ('options', 'named'),
    [
        (dict(distiller=FEATURES), "records {'logits': 'ModuleOutputsRecorder', 'features': 'ModuleInputsRecorder'}"),
        (dict(loop=dict(by_epoch=True, max_epochs=2)), 'needs train_cfg.type ExactTrainLoop, so that RandomCrop can be'),
        (dict(loop=dict(type='IterBasedTrainLoop', max_iters=2), pipeline=STILL), 'needs train_cfg.type EpochBasedTrainLoop'),
        (
            dict(pipeline=[dict(type='PackInputs', meta_keys=())]),
            "leave 'sample_idx' in the meta_keys of PackInputs",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused_before_a_step(options, named, teacher, tmp_path):
    with pytest.raises(ValueError) as error:
        student(tmp_path / 'a', teacher, TeacherCacheHook(str(tmp_path / 'cache')), **options)
    assert named in str(error.value)


def test_no_distillation_is_refused(tmp_path):
    with pytest.raises(ValueError, match='needs a distillation from one teacher, got ImageClassifier'):
        train(tmp_path, hooks=[TeacherCacheHook(str(tmp_path / 'cache'))], views=1)


def test_a_distiller_with_connectors_learns_the_same(teacher, tmp_path):
    plain = student(tmp_path / 'a', teacher, distiller=CONNECTED)[1]
    for name in ('b', 'c'):
        hook = TeacherCacheHook(str(tmp_path / 'cache'), 'float32')
        found = student(tmp_path / name, teacher, hook, distiller=CONNECTED)[1]
        assert found == plain


@pytest.mark.slow
def test_a_compiled_student_uses_it_too(teacher, tmp_path):
    torch._dynamo.reset()
    plain = student(tmp_path / 'a', teacher)[1]
    for name, images in (('b', 64), ('c', 0)):
        hook = TeacherCacheHook(str(tmp_path / 'cache'), 'float32')
        _, steps, seen = student(tmp_path / name, teacher, hook, compile=dict(backend='eager'))
        assert seen == images
        for ours, theirs in zip(steps, plain):
            assert ours == pytest.approx(theirs, rel=1e-4)
    torch._dynamo.reset()


def shared(work_dir, teacher, folder, pipeline):
    """A run of two processes; steps and weights of the student, and how many images this process's teacher saw."""
    data = config(work_dir, algorithm(teacher), views=1).train_dataloader.to_dict()
    data.update(batch_size=4)
    data['dataset']['pipeline'] = pipeline or data['dataset']['pipeline']
    hooks, passes = [TeacherCacheHook(folder, 'float32')] if folder else [], Passes()
    torch.manual_seed(0)
    options = dict(views=1, epochs=2, train_dataloader=data, train_cfg=EXACT, launcher='pytorch')
    runner, steps = train(work_dir, algorithm(teacher), hooks=[*hooks, passes], **options)
    return steps, state(runner.model.module.student), passes.images


@pytest.mark.slow
@pytest.mark.parametrize('pipeline', [None, STILL])
def test_two_processes_write_one_view_that_both_read(pipeline, teacher, processes, tmp_path):
    """Both students are bit-identical and learn the same as without cache. Without augmentation the second epoch,
    shuffled again, finds what the other process saw in the first.
    """
    folder = str(tmp_path / 'cache')
    plain = processes.run(shared, tmp_path / 'plain', teacher, None, pipeline)
    first = processes.run(shared, tmp_path / 'first', teacher, folder, pipeline)
    second = processes.run(shared, tmp_path / 'second', teacher, folder, pipeline)
    seen = 16 if pipeline else 32
    assert [[rank[2] for rank in run] for run in (plain, first, second)] == [[32, 32], [seen, seen], [0, 0]]
    for rank in range(2):
        assert equal(first[rank][1], second[rank][1])
        for ours, theirs in zip(first[rank][0], plain[rank][0]):
            assert ours == pytest.approx(theirs, rel=1e-5)
    files = ['key.json', 'view-0000.npy', *([] if pipeline else ['view-0001.npy'])]
    assert sorted(path.name for path in (tmp_path / 'cache').iterdir()) == files
    assert not np.isnan(np.load(tmp_path / 'cache/view-0000.npy')).any()
    assert student(tmp_path / 'alone', teacher, TeacherCacheHook(folder, 'float32'), pipeline=pipeline)[2] == 0
