_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/distill/byot.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.vgg8.head.num_classes = 10
model = dict(
    architecture=_base_.vgg8,
    distiller=dict(
        student_recorders=dict(stage1=dict(source='backbone.layer2'), stage2=dict(source='backbone.layer3')),
        connectors=dict(  # the last maps of a VGG have half the side
            exit1=dict(in_channel=128, out_channel=512, num_classes=10, pool_size=2),
            exit2=dict(in_channel=256, out_channel=512, num_classes=10, pool_size=2),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
