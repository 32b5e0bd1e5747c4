_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/distill/pckd.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
model = dict(
    architecture=_base_.resnet8,
    teacher=_base_.resnet20,
    teacher_ckpt='work_dirs/ce_resnet20_1xb64_digits/epoch_15.pth',
    distiller=dict(
        connectors=dict(mlp=dict(in_dims=64, out_dims=64)),
        distill_losses=dict(loss_cc=dict(student_dims=64, teacher_dims=64)),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
