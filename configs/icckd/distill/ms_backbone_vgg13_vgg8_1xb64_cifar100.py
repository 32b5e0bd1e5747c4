_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/distill/multi_scale.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/ce_vgg13_1xb64_cifar100/epoch_240.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
