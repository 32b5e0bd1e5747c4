# kd: ``0.1 CE + 0.9 T^2 KL`` at T = 4 on CIFAR, ``0.5 CE + 0.5 KL`` at T = 1 on ImageNet; 1 and 1 beside CRD, as published.
# fitnet: 100 times the mean squared error after the second stage, through the benchmark's regressor; CE 1
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn16-2.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.wrn40_2.head.num_classes = 10
_base_.wrn16_2.head.num_classes = 10
_base_.wrn16_2.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.wrn16_2,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/icc_wrn40-2_1xb64_digits/epoch_15.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), stage2=dict(type='ModuleOutputs', source='backbone.layer2')
        ),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), stage2=dict(type='ModuleOutputs', source='backbone.layer2')
        ),
        connectors=dict(hint=dict(type='icckd_mm.ConvRegConnector', s_shape=[64, 8, 8], t_shape=[64, 8, 8])),
        distill_losses=dict(
            loss_kl=dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=0.9),
            loss_hint=dict(type='icckd_mm.L2Loss', normalize=False, div_element=True, loss_weight=100.0),
        ),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            ),
            loss_hint=dict(
                s_feature=dict(from_student=True, recorder='stage2', connector='hint'),
                t_feature=dict(from_student=False, recorder='stage2'),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
