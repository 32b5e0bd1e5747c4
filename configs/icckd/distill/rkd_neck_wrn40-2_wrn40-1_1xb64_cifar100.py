# rkd: Distances with weight 25 and angles with weight 50, features not normalised, as in the benchmark
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn40-1.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.wrn40_1,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/ce_wrn40-2_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
        teacher_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
        distill_losses=dict(
            loss_distance=dict(type='icckd_mm.DistanceWiseRKD', loss_weight=25.0, with_l2_norm=False),
            loss_angle=dict(type='icckd_mm.AngleWiseRKD', loss_weight=50.0, with_l2_norm=False),
        ),
        loss_forward_mappings=dict(
            loss_distance=dict(
                preds_S=dict(from_student=True, recorder='pooled', data_idx=0),
                preds_T=dict(from_student=False, recorder='pooled', data_idx=0),
            ),
            loss_angle=dict(
                preds_S=dict(from_student=True, recorder='pooled', data_idx=0),
                preds_T=dict(from_student=False, recorder='pooled', data_idx=0),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
