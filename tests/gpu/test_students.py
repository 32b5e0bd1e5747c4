"""Students on the device: the cache of the teacher's logits, CRD, RKD, a teacher in half precision."""

import pytest
import torch

from icckd_mm.distill.losses import AngleWiseRKD, DistanceWiseRKD
from tests.helpers import config, equal, state, train
from tests.test_distill.cases import CRD, algorithm, weights

pytestmark = pytest.mark.gpu
EXACT = dict(type='icckd_mm.ExactTrainLoop', max_epochs=2)
EXACTLY = dict(seed=0, deterministic=True)
LOADER = dict(type='icckd_mm.DeviceLoader', batch_size=8)


def data(device_loader):
    loader = config('unused', views=1).train_dataloader.to_dict()
    return dict(LOADER, dataset=loader['dataset']) if device_loader else loader


@pytest.mark.parametrize('device_loader', [False, True])
def test_a_second_student_reads_what_the_first_has_stored_and_is_bit_identical(device_loader, device, tmp_path):
    teacher = weights(tmp_path / 'teacher.pth')
    hook = dict(type='icckd_mm.TeacherCacheHook', folder=str(tmp_path / 'cache'), dtype='float32')
    runs = {}
    for name, hooks in (('plain', ()), ('first', (hook,)), ('second', (hook,))):
        options = dict(views=1, train_cfg=EXACT, train_dataloader=data(device_loader), randomness=EXACTLY)
        runner, steps = train(tmp_path / name, algorithm(teacher), hooks=hooks, **options)
        runs[name] = state(runner.model.student), steps
    assert runs['plain'][1] == runs['first'][1] == runs['second'][1]
    assert equal(runs['plain'][0], runs['first'][0])
    assert equal(runs['plain'][0], runs['second'][0])


@pytest.mark.parametrize('device_loader', [False, True])
def test_crd_moves_the_rows_of_the_images_it_has_seen(device_loader, device, tmp_path):
    options = dict(views=1, train_cfg=EXACT, train_dataloader=data(device_loader))
    runner, steps = train(tmp_path, algorithm(weights(tmp_path / 't.pth'), distiller=CRD), hooks=(), **options)
    memory = runner.model.distiller.distill_losses['loss_crd'].memory
    assert memory.student.device.type == device
    assert memory.labels.tolist() == runner.train_dataloader.dataset.get_gt_labels().tolist()
    assert all(step['distill.loss_crd'] > 0 for step in steps)


@pytest.mark.parametrize('loss', [AngleWiseRKD(), DistanceWiseRKD()], ids=['angle', 'distance'])
def test_relations_are_those_of_float64(loss, device):
    torch.manual_seed(2)
    student, teacher = torch.randn(40, 16), torch.randn(40, 24)
    exact, there = student.double().requires_grad_(), student.to(device).requires_grad_()
    expected, found = loss(exact, teacher.double()), loss(there, teacher.to(device))
    expected.backward()
    found.backward()
    torch.testing.assert_close(found.detach().cpu().double(), expected.detach(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(there.grad.cpu().double(), exact.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_a_teacher_in_half_precision_teaches_nearly_the_same(dtype, device, tmp_path):
    if device == 'cpu' and dtype == 'float16':
        pytest.skip('slow on a CPU')
    teacher = weights(tmp_path / 'teacher.pth')
    options = dict(views=1, hooks=(), randomness=EXACTLY)
    _, plain = train(tmp_path / 'plain', algorithm(teacher), **options)
    low = algorithm(teacher, teacher_dtype=dtype, teacher_channels_last=True)
    runner, steps = train(tmp_path / 'low', low, **options)
    for one, other in zip(steps, plain):
        assert one['distill.loss_kl'] == pytest.approx(other['distill.loss_kl'], rel=0.1, abs=0.02)
    assert {weight.dtype for weight in runner.model.teacher.parameters()} == {torch.float32}
