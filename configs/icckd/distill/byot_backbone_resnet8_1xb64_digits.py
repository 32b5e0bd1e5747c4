_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/distill/byot.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet8.head.num_classes = 10
model = dict(
    architecture=_base_.resnet8,
    distiller=dict(connectors=dict(exit1=dict(num_classes=10), exit2=dict(num_classes=10))),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
