_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn16-2.py',
    '../../_base_/distill/ft.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.wrn40_2.head.num_classes = 10
_base_.wrn16_2.head.num_classes = 10
model = dict(
    architecture=_base_.wrn16_2,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/icc_wrn40-2_1xb64_digits/epoch_15.pth',
    distiller=dict(  # a wide ResNet's last stage is a sum before batch norm: take what comes after it
        student_recorders=dict(stage3=dict(source='backbone.relu')),
        teacher_recorders=dict(stage3=dict(source='backbone.relu')),
        connectors=dict(translator=dict(in_channel=128, out_channel=64), paraphraser=dict(in_channel=128, out_channel=64)),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/icckd-ft-pretrain_backbone_wrn40-2_wrn16-2_1xb64_digits/epoch_15.pth',
            prefix='distiller',
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
