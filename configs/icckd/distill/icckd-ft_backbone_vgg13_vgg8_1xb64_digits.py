# ft: Second stage: 200 times the difference of the student's translated and the teacher's paraphrased maps; CE 1
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.vgg13.head.num_classes = 10
_base_.vgg8.head.num_classes = 10
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/icc_vgg13_1xb64_digits/epoch_15.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer5')),
        teacher_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer5')),
        connectors=dict(
            translator=dict(type='Translator', in_channel=512, out_channel=256),
            paraphraser=dict(type='Paraphraser', phase='train', in_channel=512, out_channel=256),
        ),
        distill_losses=dict(loss_ft=dict(type='icckd_mm.FTLoss', loss_weight=200.0)),
        loss_forward_mappings=dict(
            loss_ft=dict(
                s_feature=dict(from_student=True, recorder='stage4', connector='translator'),
                t_feature=dict(from_student=False, recorder='stage4', connector='paraphraser'),
            )
        ),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/icckd-ft-pretrain_backbone_vgg13_vgg8_1xb64_digits/epoch_15.pth',
            prefix='distiller',
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
find_unused_parameters = True
