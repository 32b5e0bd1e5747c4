# wkd: CE 1, the true class as in NKD, the transport of the others at settings by pair or of both forms beside ``wkd-f``
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet32x4.py',
    '../../_base_/models/shufflenetv1.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.shufflenetv1,
    teacher=_base_.resnet32x4,
    teacher_ckpt='work_dirs/ce_resnet32x4_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), labels=dict(type='ModuleInputs', source='head.loss_module')
        ),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), centers=dict(type='Parameter', source='head.fc.weight')
        ),
        distill_losses=dict(
            loss_target=dict(type='icckd_mm.NKDLoss', gamma=0.0),
            loss_wkd=dict(type='icckd_mm.WassersteinLogitLoss', tau=6.0, sharpness=1.0, loss_weight=200.0),
        ),
        loss_forward_mappings=dict(
            loss_target=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            ),
            loss_wkd=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
                t_centers=dict(from_student=False, recorder='centers'),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_wkd'], schedule='cosine', start=150)]
optim_wrapper = dict(optimizer=dict(lr=0.01))
