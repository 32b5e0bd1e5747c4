_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/distill/ft.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.vgg13.head.num_classes = 10
_base_.vgg8.head.num_classes = 10
model = dict(
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/icc_vgg13_1xb64_digits/epoch_15.pth',
    distiller=dict(
        student_recorders=dict(stage3=dict(source='backbone.layer5')),
        teacher_recorders=dict(stage3=dict(source='backbone.layer5')),
        connectors=dict(translator=dict(in_channel=512, out_channel=256), paraphraser=dict(in_channel=512, out_channel=256)),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/icckd-ft-pretrain_backbone_vgg13_vgg8_1xb64_digits/epoch_15.pth',
            prefix='distiller',
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
