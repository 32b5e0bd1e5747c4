# vid: Weight 1 between the outputs of all stages, as in the benchmark
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
            loss_vid1=dict(type='icckd_mm.VIDLoss', student_channels=16, teacher_channels=16, loss_weight=1.0),
            loss_vid2=dict(type='icckd_mm.VIDLoss', student_channels=32, teacher_channels=32, loss_weight=1.0),
            loss_vid3=dict(type='icckd_mm.VIDLoss', student_channels=64, teacher_channels=64, loss_weight=1.0),
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
