_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/distill/kd_logits.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.vgg8.head.loss.loss_weight = 0.1  # the soft labels have the rest
model = dict(
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/ce_vgg13_1xb64_cifar100/epoch_240.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
