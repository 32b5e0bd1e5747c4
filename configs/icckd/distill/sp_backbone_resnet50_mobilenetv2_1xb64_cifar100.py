# sp: Weight 3000 between the outputs of the last stages, as in the benchmark
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet50.py',
    '../../_base_/models/mobilenetv2.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.mobilenetv2,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer7')),
        teacher_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer4')),
        distill_losses=dict(loss_sp=dict(type='icckd_mm.SPLoss', loss_weight=3000.0)),
        loss_forward_mappings=dict(
            loss_sp=dict(
                s_feature=dict(from_student=True, recorder='stage4'), t_feature=dict(from_student=False, recorder='stage4')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
optim_wrapper = dict(optimizer=dict(lr=0.01))
