# simkd: Maps that are pooled, without labels; the student gets a projector and the teacher's classifier
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet56.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.neck = dict(type='icckd_mm.SimKDNeck', in_channels=64, teacher_channels=64, factor=2)
_base_.resnet20.head.in_channels = 64
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.ReusedClassifierDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet56,
    teacher_ckpt='work_dirs/ce_resnet56_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(projected=dict(type='ModuleOutputs', source='neck.projector')),
        teacher_recorders=dict(last_map=dict(type='ModuleInputs', source='neck.gap')),
        distill_losses=dict(loss_simkd=dict(type='icckd_mm.SimKDLoss', loss_weight=1.0)),
        loss_forward_mappings=dict(
            loss_simkd=dict(
                s_feature=dict(from_student=True, recorder='projected'),
                t_feature=dict(from_student=False, recorder='last_map', data_idx=0),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
