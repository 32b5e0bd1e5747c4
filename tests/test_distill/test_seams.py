"""Cache, half precision and stop hook use the seams of SafeTeacherDistill; no method of another object is replaced."""

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from icckd_mm.distill.hooks.teacher_cache_hook import TeacherCacheHook
from tests.helpers import train
from tests.test_distill.cases import KL, algorithm, weights
from tests.test_distill.test_teacher_cache import student


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'teacher.pth')


def batch(rows=6):
    torch.manual_seed(3)
    samples = [DataSample(metainfo=dict(sample_idx=index)).set_gt_label(index % 3) for index in range(rows)]
    return torch.randn(rows, 3, 8, 8), samples


def test_a_run_with_all_of_them_replaces_no_method(teacher, tmp_path):
    stop = dict(type='icckd_mm.StopDistillHook', stop_epoch=1)
    hook = TeacherCacheHook(str(tmp_path / 'cache'), 'float32')
    runner, steps, images = student(tmp_path / 'run', teacher, hook, stop)
    model = runner.model
    assert (model.distils, images) == (False, 64)
    assert [step['distill.loss_kl'] == 0 for step in steps] == [False] * 4 + [True] * 4
    assert 'forward' not in vars(model.teacher)
    assert 'compute_distill_losses' not in vars(model.distiller)
    lowered = MODELS.build(algorithm(teacher, teacher_dtype='bfloat16', teacher_channels_last=True))
    assert type(lowered.distiller.teacher_recorders).__module__.startswith('mmrazor.')


def test_known_rows_are_what_the_student_learns_from_and_the_teacher_does_not_run(teacher):
    """And the state of the algorithm decides whether it learns from them."""
    model = MODELS.build(algorithm(teacher)).train()
    inputs, samples = batch()
    passes, written = [], []
    model.teacher.register_forward_hook(lambda *_: passes.append(1))

    class Known:
        logits = None

        def read(self, inputs, samples):
            return self.logits

        def write(self, inputs, samples, logits):
            written.append(logits)

    first = model(inputs, samples, mode='loss')['distill.loss_kl']
    model.known_rows = Known()
    second = model(inputs, samples, mode='loss')['distill.loss_kl']
    Known.logits = written[0]
    third = model(inputs, samples, mode='loss')['distill.loss_kl']
    Known.logits = written[0] + torch.arange(10)
    other = model(inputs, samples, mode='loss')['distill.loss_kl']
    assert torch.equal(first, second)
    assert torch.equal(first, third)
    assert not torch.equal(first, other)
    assert (len(passes), len(written)) == (2, 1)
    model.distils = False
    assert model(inputs, samples, mode='loss')['distill.loss_kl'] == 0


def test_what_stands_in_for_a_pass_is_one_method(teacher):
    """A subclass that overrides run_teacher decides what the teacher's recorders hold."""
    model = MODELS.build(algorithm(teacher)).train()
    inputs, samples = batch()
    expected = model(inputs, samples, mode='loss')['distill.loss_kl']
    run, calls = type(model).run_teacher, []

    class Own(type(model)):
        def run_teacher(self, inputs, samples):
            calls.append(len(inputs))
            run(self, inputs * 0, samples)

    model.__class__ = Own
    assert not torch.equal(model(inputs, samples, mode='loss')['distill.loss_kl'], expected)
    assert calls == [6]


def test_mmrazors_stop_hook_still_leaves_the_losses_out(teacher, tmp_path):
    hook = dict(type='mmrazor.StopDistillHook', stop_epoch=1)
    _, steps = train(tmp_path, algorithm(teacher), hooks=(hook,), views=1, epochs=2)
    assert ['distill.loss_kl' in step for step in steps] == [True] * 4 + [False] * 4


def test_the_cache_asks_for_an_algorithm_with_the_seam(teacher, tmp_path):
    model = algorithm(teacher, distiller=KL)
    model['type'] = 'SingleTeacherDistill'
    with pytest.raises(ValueError, match=r"got SingleTeacherDistill; set model\.type='icckd_mm\.SafeTeacherDistill'"):
        train(tmp_path / 'run', model, hooks=(TeacherCacheHook(str(tmp_path / 'cache')),), views=1)
