# kd: ``0.1 CE + 0.9 T^2 KL`` at T = 4 on CIFAR, ``0.5 CE + 0.5 KL`` at T = 1 on ImageNet; 1 and 1 beside CRD, as published.
# fbkd: Attention, pooled maps and relations of places (Zhang and Ma 2021)
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
_base_.resnet8.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet8,
    teacher=_base_.resnet20,
    teacher_ckpt='work_dirs/icc_resnet20_1xb64_digits/epoch_15.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), maps=dict(type='ModuleInputs', source='neck.gap')
        ),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), maps=dict(type='ModuleInputs', source='neck.gap')
        ),
        connectors=dict(
            fbkd_student=dict(type='FBKDStudentConnector', in_channels=64, reduction=4),
            fbkd_teacher=dict(type='FBKDTeacherConnector', in_channels=64, reduction=4),
        ),
        distill_losses=dict(
            loss_kl=dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=0.9), loss_fbkd=dict(type='FBKDLoss')
        ),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            ),
            loss_fbkd=dict(
                s_input=dict(from_student=True, recorder='maps', data_idx=0, connector='fbkd_student'),
                t_input=dict(from_student=False, recorder='maps', data_idx=0, connector='fbkd_teacher'),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
