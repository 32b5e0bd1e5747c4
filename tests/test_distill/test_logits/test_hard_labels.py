"""Hard-label distillation of a DeiT: class and distillation token each have their own loss, in a real run."""

import copy

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from tests.helpers import HEAD, train
from tests.test_distill.cases import LOGITS, algorithm, weights

DEIT = dict(
    type='ImageClassifier',
    backbone=dict(
        type='DistilledVisionTransformer',
        arch=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=32),
        img_size=8,
        patch_size=4,
    ),
    head=dict(type='DeiTClsHead', in_channels=16, **HEAD),
)
DISTILLER = dict(
    type='ConfigurableDistiller',
    student_recorders=dict(
        cls=dict(type='ModuleOutputs', source='head.layers.head'),
        dist=dict(type='ModuleOutputs', source='head.layers.head_dist'),
        labels=dict(type='ModuleInputs', source='head.loss_module'),
    ),
    teacher_recorders=LOGITS,
    distill_losses=dict(
        loss_cls=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=0.5),
        loss_hard=dict(type='icckd_mm.HardLabelLoss', loss_weight=0.5),
    ),
    loss_forward_mappings=dict(
        loss_cls=dict(
            cls_score=dict(recorder='cls', from_student=True), label=dict(recorder='labels', from_student=True, data_idx=1)
        ),
        loss_hard=dict(preds_S=dict(recorder='dist', from_student=True), preds_T=dict(recorder='logits', from_student=False)),
    ),
)


def deit(teacher):
    return algorithm(teacher, student=copy.deepcopy(DEIT), distiller=DISTILLER, calculate_student_loss=False)


@pytest.mark.filterwarnings('ignore:MMPretrain cannot train the distilled version DeiT')
def test_each_token_learns_its_own_labels(tmp_path):
    model = MODELS.build(deit(weights(tmp_path / 'teacher.pth'))).train()
    torch.nn.init.normal_(model.student.head.layers.head.weight)
    torch.nn.init.normal_(model.student.head.layers.head_dist.weight)
    images, labels = torch.randn(5, 3, 8, 8), [3, 1, 4, 1, 5]
    losses = model(images, [DataSample().set_gt_label(label) for label in labels], mode='loss')
    assert {name for name in losses if 'loss' in name} == {'distill.loss_cls', 'distill.loss_hard'}
    cls_token, dist_token = model.student.backbone(images)[-1]
    decided = model.teacher(images, mode='tensor').argmax(1)
    for name, layer, token, targets in (
        ('loss_cls', 'head', cls_token, torch.tensor(labels)),
        ('loss_hard', 'head_dist', dist_token, decided),
    ):
        log_probs = model.student.head.layers.get_submodule(layer)(token).log_softmax(1)
        expected = -0.5 * sum(log_probs[row, target] for row, target in enumerate(targets.tolist())) / 5
        torch.testing.assert_close(losses[f'distill.{name}'], expected)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(weight.grad is not None for weight in model.student.parameters())


@pytest.mark.filterwarnings('ignore:MMPretrain cannot train the distilled version DeiT')
def test_it_trains_validates_and_leaves_the_teacher(tmp_path):
    teacher = weights(tmp_path / 'teacher.pth')
    options = dict(views=1, epochs=3, validate=True, val_cfg=dict(type='icckd_mm.DistillValLoop'))
    runner, steps = train(tmp_path / 'run', deit(teacher), hooks=(), **options)
    assert steps[-1]['distill.loss_hard'] < steps[0]['distill.loss_hard']
    state = torch.load(teacher, weights_only=False)['state_dict']
    assert all(torch.equal(value, state[name]) for name, value in runner.model.teacher.state_dict().items())
    assert runner.message_hub.get_scalar('val/accuracy/top1').current() >= 0
