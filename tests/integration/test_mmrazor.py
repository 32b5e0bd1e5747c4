"""The loss as an entry of mmrazor's ConfigurableDistiller, with its recorders and connectors, and mmrazor's losses."""

import copy

import pytest
import torch
from mmengine.registry import MODELS

import icckd_mm  # noqa: F401
from icckd_mm.functional import confidence_margin, intra_class_contrastive_loss
from tests.helpers import CONV, NORM

WIDE = {**copy.deepcopy(CONV), 'backbone': dict(type='icckd_mm.CIFARResNet', depth=8, widths=(4, 4, 8, 12))}
WIDE['head']['in_channels'] = 12


def algorithm(teacher=CONV, connector=False):
    recorders = dict(
        features=dict(type='ModuleInputs', source='head.fc'),
        logits=dict(type='ModuleOutputs', source='head.fc'),
        labels=dict(type='ModuleInputs', source='head.loss_module'),
    )
    connectors = dict(
        student_connector=dict(type='TorchNNConnector', module_name='Linear', module_args=dict(in_features=8, out_features=12))
    )
    features = dict(recorder='features', from_student=True, data_idx=0)
    if connector:
        features['connector'] = 'student_connector'
    return MODELS.build(
        dict(
            _scope_='mmrazor',
            type='SingleTeacherDistill',
            architecture=dict(_scope_='mmpretrain', **copy.deepcopy(CONV)),
            teacher=dict(_scope_='mmpretrain', **copy.deepcopy(teacher)),
            data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', **NORM),
            distiller=dict(
                type='ConfigurableDistiller',
                student_recorders=recorders,
                teacher_recorders=dict(features=dict(type='ModuleInputs', source='head.fc'), logits=recorders['logits']),
                connectors=connectors if connector else None,
                distill_losses=dict(
                    loss_icc=dict(
                        type='icckd_mm.IntraClassContrastiveLoss',
                        num_classes=10,
                        feat_dims=12 if connector else 8,
                        margin=-0.5,
                        loss_weight=0.3,
                    ),
                    loss_kl=dict(type='KLDivergence', tau=4, reduction='batchmean'),
                ),
                loss_forward_mappings=dict(
                    loss_icc=dict(
                        features=features,
                        positives=dict(recorder='features', from_student=False, data_idx=0),
                        logits=dict(recorder='logits', from_student=True),
                        labels=dict(recorder='labels', from_student=True, data_idx=1),
                    ),
                    loss_kl=dict(
                        preds_S=dict(recorder='logits', from_student=True), preds_T=dict(recorder='logits', from_student=False)
                    ),
                ),
            ),
        )
    )


def batch(model):
    from mmpretrain.structures import DataSample

    images = torch.randint(256, (12, 3, 8, 8), dtype=torch.uint8)
    return model.data_preprocessor(
        dict(inputs=images, data_samples=[DataSample().set_gt_label(i % 3) for i in range(12)]), True
    )


def test_is_the_loss_of_the_formula_beside_kl_divergence():
    model = algorithm()
    model.train()  # mmrazor's returns None
    data = batch(model)
    twin = copy.deepcopy(model.student)  # before the forward pass: a recorder keeps its tensors, which cannot be copied
    losses = model(**data, mode='loss')
    assert sorted(losses) == ['distill.loss_icc', 'distill.loss_kl', 'student.accuracy_top-1', 'student.loss']
    features = twin.extract_feat(data['inputs'])[-1]
    positives = model.teacher.extract_feat(data['inputs'])[-1]
    labels = torch.tensor([i % 3 for i in range(12)])
    mask = confidence_margin(twin.head.fc(features), labels) > -0.5
    expected = 0.3 * intra_class_contrastive_loss(features, positives, labels, mask=mask)
    torch.testing.assert_close(losses['distill.loss_icc'], expected)
    losses['distill.loss_icc'].backward()
    assert model.student.backbone.conv1.weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in model.teacher.parameters())


def test_its_queue_is_in_the_checkpoint_and_fills():
    model = algorithm()
    model.train()  # mmrazor's returns None
    model(**batch(model), mode='loss')
    queue = model.state_dict()['distiller.distill_losses.loss_icc.queue.filled']
    assert queue.tolist() == [4, 4, 4, 0, 0, 0, 0, 0, 0, 0]


def test_a_connector_bridges_different_widths():
    model = algorithm(WIDE, connector=True)
    model.train()  # mmrazor's returns None
    losses = model(**batch(model), mode='loss')
    losses['distill.loss_icc'].backward()
    connector = model.distiller.connectors['student_connector']
    assert all(parameter.grad.abs().sum() > 0 for parameter in connector.parameters())


def test_different_widths_without_a_connector_are_named():
    model = algorithm(WIDE)
    model.train()  # mmrazor's returns None
    with pytest.raises(ValueError, match='positives has width 12, but 8 is needed; use a connector'):
        model(**batch(model), mode='loss')
