# nkd: CE 1; T = 1 and weight 1.5 of the other classes as published for ImageNet, T = 4 elsewhere, which is our choice
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet110,
    teacher_ckpt='work_dirs/ce_resnet110_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), labels=dict(type='ModuleInputs', source='head.loss_module')
        ),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_nkd=dict(type='icckd_mm.NKDLoss', tau=4.0, gamma=1.5)),
        loss_forward_mappings=dict(
            loss_nkd=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
