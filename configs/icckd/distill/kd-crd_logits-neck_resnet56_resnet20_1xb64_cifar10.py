# kd: ``0.1 CE + 0.9 T^2 KL`` at T = 4 on CIFAR, ``0.5 CE + 0.5 KL`` at T = 1 on ImageNet; 1 and 1 beside CRD, as published.
# crd: Weight 0.8 and 16,384 negatives between the pooled features in 128 dimensions
_base_ = [
    '../../_base_/datasets/cifar10.py',
    '../../_base_/models/resnet56.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet56.head.num_classes = 10
_base_.resnet20.head.num_classes = 10
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet56,
    teacher_ckpt='work_dirs/ce_resnet56_1xb64_cifar10/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
            data_samples=dict(type='ModuleInputs', source=''),
        ),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), pooled=dict(type='ModuleInputs', source='head.fc')
        ),
        connectors=dict(
            crd_student=dict(type='icckd_mm.CRDConnector', dim_in=64, dim_out=128),
            crd_teacher=dict(type='icckd_mm.CRDConnector', dim_in=64, dim_out=128),
        ),
        distill_losses=dict(
            loss_kl=dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=1.0),
            loss_crd=dict(type='icckd_mm.CRDLoss', neg_num=16384, sample_n=50000, loss_weight=0.8),
        ),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            ),
            loss_crd=dict(
                s_feats=dict(from_student=True, recorder='pooled', data_idx=0, connector='crd_student'),
                t_feats=dict(from_student=False, recorder='pooled', data_idx=0, connector='crd_teacher'),
                data_samples=dict(from_student=True, recorder='data_samples', data_idx=1),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
