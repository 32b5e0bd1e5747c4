"""A teacher that runs in half precision or with its channels last gives nearly the same results and does not change."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from icckd_mm.distill.hooks.teacher_cache_hook import TeacherCacheHook
from tests.helpers import config, equal, state, train
from tests.test_distill.cases import KL, LOGITS, algorithm, weights
from tests.test_distill.test_teacher_cache import STILL, student

ROWS = 6
BOTH = dict(teacher_dtype='bfloat16', teacher_channels_last=True)


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'teacher.pth')


def batch(side=8):
    torch.manual_seed(3)
    samples = [DataSample(metainfo=dict(sample_idx=index)).set_gt_label(index % 3) for index in range(ROWS)]
    return torch.randn(ROWS, 3, side, side), samples


def records(distillation, **options):
    """A model after one step, and what its recorders hold of the teacher."""
    torch.manual_seed(0)
    model = MODELS.build({**copy.deepcopy(distillation), **options}).train()
    losses = model(*batch(), mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    return model, {name: recorder.get_record_data() for name, recorder in model.distiller.teacher_recorders.recorders.items()}


def featured(teacher):
    """A distillation that records logits, a feature map and the inputs of a layer, which are a tuple in a tuple."""
    feature = dict(type='ModuleOutputs', source='backbone.layer3')
    recorders = dict(**LOGITS, feature=feature, inputs=dict(type='ModuleInputs', source='neck'))
    return algorithm(teacher, distiller={**KL, 'teacher_recorders': recorders})


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_logits_are_those_of_single_precision_within_half_precision(dtype, teacher):
    """And no closer: a pass that ignores the option would be bit for bit the same."""
    recorded = featured(teacher)
    plain, half = records(recorded), records(recorded, teacher_dtype=dtype)
    for name, value in half[1].items():
        expected = plain[1][name]
        if isinstance(value, tuple):  # the inputs of a layer
            assert isinstance(value[0], tuple)
            value, expected = value[0][0], expected[0][0]
        assert value.dtype == torch.float32
        assert not torch.equal(value, expected)
        assert (value - expected).norm() < 0.02 * expected.norm()
    for weight in half[0].student.parameters():
        assert weight.dtype == weight.grad.dtype == torch.float32
        assert weight.grad.isfinite().all()
    assert equal(state(half[0].teacher), torch.load(teacher)['state_dict'])


def test_channels_last_changes_where_numbers_lie_and_not_what_losses_get(teacher):
    recorded = featured(teacher)
    plain, last = records(recorded), records(recorded, teacher_channels_last=True)
    convolution = next(weight for weight in last[0].teacher.parameters() if weight.ndim == 4 and weight.size(1) > 1)
    assert convolution.is_contiguous(memory_format=torch.channels_last)
    seen = []
    last[0].teacher.backbone.register_forward_hook(lambda module, inputs, outputs: seen.append(outputs[-1]))
    last[0](*batch(), mode='loss')
    assert not seen[0].is_contiguous()  # the convolutions do follow their weights
    torch.testing.assert_close(last[1], plain[1], rtol=1e-4, atol=1e-5)
    assert last[1]['feature'].is_contiguous()
    assert equal(state(last[0].teacher), torch.load(teacher)['state_dict'])


def test_without_the_options_nothing_is_put_in_between(teacher):
    assert type(MODELS.build(algorithm(teacher)).distiller.teacher_recorders).__module__.startswith('mmrazor.')


def test_autocast_ends_with_the_pass_also_where_that_fails(teacher):
    model = MODELS.build(algorithm(teacher, **BOTH)).train()
    with pytest.raises(RuntimeError):
        model(torch.zeros(2, 5, 8, 8), batch()[1][:2], mode='loss')
    assert not torch.is_autocast_enabled('cpu')


def test_checkpoints_hold_both_models_in_single_precision(teacher, tmp_path):
    """Bit for bit the teacher's file where the teacher is saved; EMA copies it, too."""
    ema = dict(type='EMAHook', momentum=0.3)
    train(tmp_path, algorithm(teacher, save_teacher=True, **BOTH), hooks=(ema,), views=1, validate=True)
    saved = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']
    kept = {key[8:]: value for key, value in saved.items() if key.startswith('teacher.')}
    assert equal(kept, torch.load(teacher)['state_dict'])
    assert {value.dtype for value in saved.values()} <= {torch.float32, torch.int64}
    assert all(value.is_contiguous() for key, value in saved.items() if key.startswith('architecture.'))


def test_prediction_of_the_teacher_is_in_its_own_precision(teacher):
    images, _ = batch()
    plain, half = (MODELS.build(algorithm(teacher, **options)) for options in ({}, dict(teacher_dtype='bfloat16')))
    half.train()(*batch(), mode='loss')
    assert torch.equal(plain.teacher(images, mode='tensor'), half.teacher(images, mode='tensor'))


NAMES = [
    'icckd-kd-rkd_logits-neck',
    'icckd-kd-at_backbone',
    'icckd-kd-crd_logits-neck',
    'icckd-kd-fbkd_backbone',
    'ms_backbone',
]


@pytest.mark.parametrize('name', NAMES)
def test_distillers_of_all_kinds_learn_nearly_the_same(name):
    """Losses of features, relations and memories: within 2 % of single precision, gradients finite."""
    cfg = Config.fromfile(f'configs/icckd/distill/{name}_resnet20_resnet8_1xb64_digits.py')
    found = []
    for options in ({}, BOTH):
        torch.manual_seed(0)
        model = MODELS.build({**cfg.model, 'teacher_ckpt': None, 'allow_random_teacher': True, **options}).train()
        torch.manual_seed(1)
        images, samples = batch(16)
        losses = {key: value for key, value in model(images, samples, mode='loss').items() if 'loss' in key}
        sum(losses.values()).backward()
        assert all(weight.grad.isfinite().all() for weight in model.student.parameters() if weight.grad is not None)
        found.append({key: float(value.detach()) for key, value in losses.items()})
    assert found[1] != found[0]
    assert found[1] == pytest.approx(found[0], rel=0.02, abs=1e-3)


def test_a_cache_keeps_what_the_student_saw_and_is_no_other_precisions(teacher, tmp_path):
    """The second student reads the rows of half precision; one of single precision is refused."""
    folder = str(tmp_path / 'cache')
    runs = [
        lowered(tmp_path / name, teacher, *([TeacherCacheHook(folder, 'float32')] if name != 'plain' else []))
        for name in ('plain', 'first', 'second')
    ]
    assert runs[0] == runs[1] == runs[2]
    with pytest.raises(ValueError, match='precision: OptimWrapper, bfloat16, channels last there, OptimWrapper now'):
        student(tmp_path / 'single', teacher, TeacherCacheHook(folder, 'float32'), pipeline=STILL)


def lowered(work_dir, teacher, *hooks):
    """Losses of a run with the data of :func:`student`."""
    data = config(work_dir, algorithm(teacher), views=1).train_dataloader.to_dict()
    data['dataset']['pipeline'] = STILL
    torch.manual_seed(0)
    loop = dict(type='icckd_mm.ExactTrainLoop', max_epochs=2)
    return train(work_dir, algorithm(teacher, **BOTH), hooks=hooks, views=1, epochs=2, train_dataloader=data, train_cfg=loop)[1]


@pytest.mark.parametrize('dtype', ['bf16', 'float64', 16, torch.bfloat16])
def test_another_dtype_is_refused_before_the_file_is_read(dtype):
    with pytest.raises(ValueError, match='one of bfloat16, float16, got'):
        MODELS.build(algorithm('nowhere.pth', teacher_dtype=dtype))
