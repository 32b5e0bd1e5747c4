# nst: Weight 50 between the outputs of all stages, as in the benchmark
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/ce_vgg13_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer2'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer3'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer4'),
            stage4=dict(type='ModuleOutputs', source='backbone.layer5'),
        ),
        teacher_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer2'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer3'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer4'),
            stage4=dict(type='ModuleOutputs', source='backbone.layer5'),
        ),
        distill_losses=dict(
            loss_nst1=dict(type='icckd_mm.NSTLoss', loss_weight=50.0),
            loss_nst2=dict(type='icckd_mm.NSTLoss', loss_weight=50.0),
            loss_nst3=dict(type='icckd_mm.NSTLoss', loss_weight=50.0),
            loss_nst4=dict(type='icckd_mm.NSTLoss', loss_weight=50.0),
        ),
        loss_forward_mappings=dict(
            loss_nst1=dict(
                s_feature=dict(from_student=True, recorder='stage1'), t_feature=dict(from_student=False, recorder='stage1')
            ),
            loss_nst2=dict(
                s_feature=dict(from_student=True, recorder='stage2'), t_feature=dict(from_student=False, recorder='stage2')
            ),
            loss_nst3=dict(
                s_feature=dict(from_student=True, recorder='stage3'), t_feature=dict(from_student=False, recorder='stage3')
            ),
            loss_nst4=dict(
                s_feature=dict(from_student=True, recorder='stage4'), t_feature=dict(from_student=False, recorder='stage4')
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
