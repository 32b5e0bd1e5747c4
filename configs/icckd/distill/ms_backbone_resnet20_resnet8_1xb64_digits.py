# ms: CE 1 and weight 1; regions are weighted by whether the teacher's classifier is right there. All settings are ours
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
    teacher_ckpt='work_dirs/ce_resnet20_1xb64_digits/epoch_15.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            maps=dict(type='ModuleInputs', source='neck.gap'), labels=dict(type='ModuleInputs', source='head.loss_module')
        ),
        teacher_recorders=dict(
            maps=dict(type='ModuleInputs', source='neck.gap'),
            centers=dict(type='Parameter', source='head.fc.weight'),
            bias=dict(type='Parameter', source='head.fc.bias'),
        ),
        distill_losses=dict(loss_ms=dict(type='icckd_mm.MultiScaleContrastiveLoss')),
        loss_forward_mappings=dict(
            loss_ms=dict(
                s_feature=dict(from_student=True, recorder='maps', data_idx=0),
                t_feature=dict(from_student=False, recorder='maps', data_idx=0),
                t_centers=dict(from_student=False, recorder='centers'),
                t_bias=dict(from_student=False, recorder='bias'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
