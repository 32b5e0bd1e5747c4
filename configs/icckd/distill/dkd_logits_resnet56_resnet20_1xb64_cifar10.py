# dkd: CE 1, alpha 1, beta by pair, T = 4 and a warm-up of 20 epochs; on ImageNet T = 1 and a warm-up of 1
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
            logits=dict(type='ModuleOutputs', source='head.fc'), labels=dict(type='ModuleInputs', source='head.loss_module')
        ),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_dkd=dict(type='icckd_mm.DKDLoss', tau=4.0, alpha=1.0, beta=2.0)),
        loss_forward_mappings=dict(
            loss_dkd=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_dkd'], schedule='warmup', epochs=20)]
