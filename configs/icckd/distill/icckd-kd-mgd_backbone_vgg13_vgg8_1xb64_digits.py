# kd: ``0.1 CE + 0.9 T^2 KL`` at T = 4 on CIFAR, ``0.5 CE + 0.5 KL`` at T = 1 on ImageNet; 1 and 1 beside CRD, as published.
# mgd: Masked generation (Yang et al. 2022): a sum over places and channels, hence the weight of 7e-5
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.vgg13.head.num_classes = 10
_base_.vgg8.head.num_classes = 10
_base_.vgg8.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/icc_vgg13_1xb64_digits/epoch_15.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), maps=dict(type='ModuleInputs', source='neck.gap')
        ),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), maps=dict(type='ModuleInputs', source='neck.gap')
        ),
        connectors=dict(mgd=dict(type='MGDConnector', student_channels=512, teacher_channels=512, lambda_mgd=0.15)),
        distill_losses=dict(
            loss_kl=dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=0.9),
            loss_mgd=dict(type='MGDLoss', alpha_mgd=7e-05),
        ),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            ),
            loss_mgd=dict(
                preds_S=dict(from_student=True, recorder='maps', data_idx=0, connector='mgd'),
                preds_T=dict(from_student=False, recorder='maps', data_idx=0),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
