_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/distill/uskd.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet8.head.num_classes = 10
model = dict(
    architecture=_base_.resnet8,
    distiller=dict(distill_losses=dict(loss_uskd=dict(num_classes=10, in_channels=32))),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
