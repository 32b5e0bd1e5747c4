# ft: Second stage: 200 times the difference of the student's translated and the teacher's paraphrased maps; CE 1
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
        student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        connectors=dict(
            translator=dict(type='Translator', in_channel=64, out_channel=32),
            paraphraser=dict(type='Paraphraser', phase='train', in_channel=64, out_channel=32),
        ),
        distill_losses=dict(loss_ft=dict(type='icckd_mm.FTLoss', loss_weight=200.0)),
        loss_forward_mappings=dict(
            loss_ft=dict(
                s_feature=dict(from_student=True, recorder='stage3', connector='translator'),
                t_feature=dict(from_student=False, recorder='stage3', connector='paraphraser'),
            )
        ),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/icckd-ft-pretrain_backbone_resnet20_resnet8_1xb64_digits/epoch_15.pth',
            prefix='distiller',
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
find_unused_parameters = True
