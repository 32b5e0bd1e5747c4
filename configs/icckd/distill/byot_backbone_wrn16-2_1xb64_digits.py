_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/wrn16-2.py',
    '../../_base_/distill/byot.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.wrn16_2.head.num_classes = 10
model = dict(
    architecture=_base_.wrn16_2,
    distiller=dict(
        student_recorders=dict(  # a stage is a sum before batch norm and ReLU, which the next one begins with
            stage1=dict(source='backbone.layer2.0.relu1'), stage2=dict(source='backbone.layer3.0.relu1')
        ),
        connectors=dict(
            exit1=dict(in_channel=32, out_channel=128, num_classes=10),
            exit2=dict(in_channel=64, out_channel=128, num_classes=10),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
