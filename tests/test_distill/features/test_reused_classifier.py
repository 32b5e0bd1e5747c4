"""SimKD: the student has the teacher's classifier, untouched, from the first step to the published file."""

import copy

import mmpretrain
import pytest
import torch
import yaml
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

import icckd_mm  # noqa: F401
from icckd_mm.zoo.entry_files import write_entry
from icckd_mm.zoo.network import take_network
from tests.helpers import CONV, state, train
from tests.test_distill.cases import algorithm, weights

WIDE = {**copy.deepcopy(CONV), 'head': {**CONV['head'], 'in_channels': 32}}
WIDE['backbone'] = {**CONV['backbone'], 'widths': (4, 4, 8, 32)}
STUDENT = {
    **copy.deepcopy(CONV),
    'neck': dict(type='icckd_mm.SimKDNeck', in_channels=8, teacher_channels=32, factor=4),
    'head': {**CONV['head'], 'in_channels': 32},
}
MAPS = dict(
    type='ConfigurableDistiller',
    student_recorders=dict(projected=dict(type='ModuleOutputs', source='neck.projector')),
    teacher_recorders=dict(last_map=dict(type='ModuleInputs', source='neck.gap')),
    distill_losses=dict(loss_simkd=dict(type='icckd_mm.SimKDLoss')),
    loss_forward_mappings=dict(
        loss_simkd=dict(
            s_feature=dict(recorder='projected', from_student=True),
            t_feature=dict(recorder='last_map', from_student=False, data_idx=0),
        )
    ),
)

POOLED = copy.deepcopy(MAPS)
POOLED['student_recorders']['projected']['source'] = 'neck.gap'


def simkd(teacher_ckpt, **options):
    options = {'student': STUDENT, 'teacher': WIDE, 'distiller': MAPS, **options}
    return {**algorithm(teacher_ckpt, **options), 'type': 'icckd_mm.ReusedClassifierDistill'}


def classifier(model):
    return state(model.head.fc)


@pytest.fixture
def ckpt(tmp_path):
    return weights(tmp_path / 'teacher.pth', WIDE)


def test_the_classifier_stays_the_teachers_while_the_projector_learns(ckpt, tmp_path):
    runner, steps = train(tmp_path / 'run', simkd(ckpt), views=1, hooks=[], epochs=2, val_cfg=None)
    own, teacher = classifier(runner.model.student), classifier(runner.model.teacher)
    assert own.keys() == teacher.keys()
    assert all(torch.equal(own[name], teacher[name]) for name in own)
    assert steps[-1]['distill.loss_simkd'] < steps[0]['distill.loss_simkd']
    assert not any(name.startswith('student.') for name in steps[0])


def test_labels_are_not_used(ckpt):
    model = MODELS.build(simkd(ckpt)).train()
    images = torch.randn(4, 3, 8, 8)
    first, second = (
        model.loss(images, [DataSample().set_gt_label((label + shift) % 10) for label in range(4)]) for shift in (0, 5)
    )
    assert first.keys() == {'distill.loss_simkd'}
    torch.testing.assert_close(first, second)


def test_a_student_that_copies_the_map_gives_the_teachers_logits(ckpt):
    model = MODELS.build(simkd(ckpt)).eval()
    images, seen = torch.randn(2, 3, 8, 8), []
    model.teacher.neck.gap.register_forward_hook(lambda *call: seen.append(call[1][0]))
    expected = model.teacher(images)
    model.student.neck.projector.register_forward_hook(lambda *call: seen[0])
    torch.testing.assert_close(model.student(images), expected)


def test_another_initialisation_and_another_checkpoint_do_not_change_the_classifier(ckpt):
    model = MODELS.build(simkd(ckpt))
    model.student.head.init_cfg = dict(type='Normal', layer='Linear', std=1.0)
    model.init_weights()
    expected = classifier(model.teacher)
    assert all(torch.equal(value, expected[name]) for name, value in classifier(model.student).items())
    other = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    model.load_state_dict(other)
    assert all(torch.equal(value, expected[name]) for name, value in classifier(model.student).items())
    assert model.student.neck.projector[0].weight.abs().sum() == 0


def test_the_projector_is_in_the_optimizer_and_the_classifier_never_moves(ckpt):
    model = MODELS.build(simkd(ckpt))
    wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1)))
    trained = {id(x) for group in wrapper.param_groups for x in group['params'] if x.requires_grad}
    assert {id(x) for x in model.student.neck.parameters()} <= trained
    assert not {id(x) for x in model.student.head.parameters()} & trained


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(calculate_student_loss=True), 'learns from maps alone'),
        (dict(student=WIDE, distiller=POOLED), "architecture.neck.type='icckd_mm.SimKDNeck', got GlobalAveragePooling"),
        (
            dict(student={**STUDENT, 'neck': {**STUDENT['neck'], 'teacher_channels': 16}}),
            r"neck.teacher_channels=16 and head.in_channels=32 .* must be the width of the teacher's classifier, 32",
        ),
        (
            dict(student={**STUDENT, 'head': {**STUDENT['head'], 'type': 'StackedLinearClsHead', 'mid_channels': [6]}}),
            'linear layer head.fc, the architecture',
        ),
    ],
)
def test_networks_that_do_not_fit_are_refused(options, message, ckpt):
    with pytest.raises(ValueError, match=message):
        MODELS.build(simkd(ckpt, **options))


def test_another_width_of_the_map_is_named():
    with pytest.raises(ValueError, match='set teacher_channels of the SimKDNeck to 32'):
        MODELS.build(dict(type='icckd_mm.SimKDLoss'))(torch.randn(2, 16, 4, 4), torch.randn(2, 32, 4, 4))


def test_the_published_student_has_projector_and_classifier_and_says_what_they_cost(ckpt, tmp_path):
    runner, _ = train(
        tmp_path / 'run', simkd(ckpt), views=1, hooks=[], validate=True, val_cfg=dict(type='icckd_mm.DistillValLoop')
    )
    (tmp_path / 'entry').mkdir()
    write_entry(take_network(tmp_path / 'run'), 'tiny', tmp_path / 'entry')
    (file,) = (tmp_path / 'entry').glob('*.pth')
    model = mmpretrain.get_model(str(tmp_path / 'entry/tiny.py'), pretrained=str(file), device='cpu')
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(model(images), runner.model.student.eval()(images))
    (entry,) = yaml.safe_load((tmp_path / 'entry/metafile.yml').read_text())['Models']
    expected = sum(weight.numel() for weight in runner.model.student.neck.parameters())
    assert entry['Metadata']['Projector Parameters'] == expected == 8 * 8 + 9 * 64 + 8 * 32 + 4 * 8 + 2 * 32
    assert f'Of these {expected:,} parameters' in (tmp_path / 'entry/README.md').read_text()
