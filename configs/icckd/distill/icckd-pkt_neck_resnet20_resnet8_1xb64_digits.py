# pkt: Weight 30,000 between the pooled features, as in the benchmark
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet8,
    teacher=_base_.resnet20,
    teacher_ckpt='work_dirs/icc_resnet20_1xb64_digits/epoch_15.pth',
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
