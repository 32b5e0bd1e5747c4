# sp: Weight 3000 between the outputs of the last stages, as in the benchmark
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/models/resnet32.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet32,
    teacher=_base_.resnet110,
    teacher_ckpt='work_dirs/ce_resnet110_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        distill_losses=dict(loss_sp=dict(type='icckd_mm.SPLoss', loss_weight=3000.0)),
        loss_forward_mappings=dict(
            loss_sp=dict(
                s_feature=dict(from_student=True, recorder='stage3'), t_feature=dict(from_student=False, recorder='stage3')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
