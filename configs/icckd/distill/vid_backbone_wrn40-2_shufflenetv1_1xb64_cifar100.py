# vid: Weight 1 between the outputs of all stages, as in the benchmark
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/shufflenetv1.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.shufflenetv1,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/ce_wrn40-2_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer3'),
        ),
        teacher_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer3'),
        ),
        distill_losses=dict(
            loss_vid1=dict(type='icckd_mm.VIDLoss', student_channels=240, teacher_channels=32, loss_weight=1.0),
            loss_vid2=dict(type='icckd_mm.VIDLoss', student_channels=480, teacher_channels=64, loss_weight=1.0),
            loss_vid3=dict(type='icckd_mm.VIDLoss', student_channels=960, teacher_channels=128, loss_weight=1.0),
        ),
        loss_forward_mappings=dict(
            loss_vid1=dict(
                s_feature=dict(from_student=True, recorder='stage1'), t_feature=dict(from_student=False, recorder='stage1')
            ),
            loss_vid2=dict(
                s_feature=dict(from_student=True, recorder='stage2'), t_feature=dict(from_student=False, recorder='stage2')
            ),
            loss_vid3=dict(
                s_feature=dict(from_student=True, recorder='stage3'), t_feature=dict(from_student=False, recorder='stage3')
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
optim_wrapper = dict(optimizer=dict(lr=0.01))
