"""Configs of small distillations on the digits."""

import copy

import torch
from mmengine.registry import MODELS

import icckd_mm  # noqa: F401
from tests.helpers import CONV, NORM

DROPOUT = {
    **copy.deepcopy(CONV),
    'head': {**CONV['head'], 'type': 'StackedLinearClsHead', 'mid_channels': [6], 'dropout_rate': 0.5},
}
LOGITS = dict(logits=dict(type='ModuleOutputs', source='head.fc'))
KL = dict(
    type='ConfigurableDistiller',
    student_recorders=LOGITS,
    teacher_recorders=LOGITS,
    distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4, reduction='batchmean')),
    loss_forward_mappings=dict(
        loss_kl=dict(preds_S=dict(recorder='logits', from_student=True), preds_T=dict(recorder='logits', from_student=False))
    ),
)
CONNECTED = copy.deepcopy(KL)  # with parameters of its own
CONNECTED['connectors'] = dict(
    linear=dict(type='TorchNNConnector', module_name='Linear', module_args=dict(in_features=10, out_features=10))
)
CONNECTED['loss_forward_mappings']['loss_kl']['preds_S']['connector'] = 'linear'
CRD = dict(
    type='ConfigurableDistiller',
    student_recorders=dict(feat=dict(type='ModuleInputs', source='head.fc'), data=dict(type='ModuleInputs', source='')),
    teacher_recorders=dict(feat=dict(type='ModuleInputs', source='head.fc')),
    connectors=dict(
        s=dict(type='icckd_mm.CRDConnector', dim_in=8, dim_out=16), t=dict(type='icckd_mm.CRDConnector', dim_in=8, dim_out=16)
    ),
    distill_losses=dict(loss_crd=dict(type='icckd_mm.CRDLoss', neg_num=64, sample_n=32, dim_out=16, loss_weight=0.8)),
    loss_forward_mappings=dict(
        loss_crd=dict(
            s_feats=dict(recorder='feat', from_student=True, data_idx=0, connector='s'),
            t_feats=dict(recorder='feat', from_student=False, data_idx=0, connector='t'),
            data_samples=dict(recorder='data', from_student=True, data_idx=1),
        )
    ),
)


def classifier(model=CONV):
    return {'_scope_': 'mmpretrain', **copy.deepcopy(dict(model))}


def weights(path, model=CONV, seed=7, change=None, **more):
    """A checkpoint of a classifier, as a run would leave it."""
    torch.manual_seed(seed)
    state = MODELS.build(classifier(model)).state_dict()
    if change:
        change(state)
    torch.save(dict(state_dict=state, **more), path)
    return str(path)


def algorithm(teacher_ckpt=None, *, student=CONV, teacher=CONV, distiller=KL, **options):
    """A config of SafeTeacherDistill."""
    return dict(
        _scope_='mmrazor',
        type='icckd_mm.SafeTeacherDistill',
        architecture=classifier(student),
        teacher=classifier(teacher),
        teacher_ckpt=teacher_ckpt,
        distiller=copy.deepcopy(distiller),
        **{'data_preprocessor': dict(type='mmpretrain.ClsDataPreprocessor', **NORM), **options},
    )
