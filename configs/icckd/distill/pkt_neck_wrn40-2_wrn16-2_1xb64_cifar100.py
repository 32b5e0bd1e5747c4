# pkt: Weight 30,000 between the pooled features, as in the benchmark
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn16-2.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.wrn16_2,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/ce_wrn40-2_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
        teacher_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
        distill_losses=dict(loss_pkt=dict(type='icckd_mm.PKTLoss', loss_weight=30000.0)),
        loss_forward_mappings=dict(
            loss_pkt=dict(
                s_feature=dict(from_student=True, recorder='pooled', data_idx=0),
                t_feature=dict(from_student=False, recorder='pooled', data_idx=0),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
