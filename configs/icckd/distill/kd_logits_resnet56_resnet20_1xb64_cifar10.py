_base_ = [
    '../../_base_/datasets/cifar10.py',
    '../../_base_/models/resnet56.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/distill/kd_logits.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet56.head.num_classes = 10
_base_.resnet20.head.num_classes = 10
_base_.resnet20.head.loss.loss_weight = 0.1  # the soft labels have the rest
model = dict(
    architecture=_base_.resnet20,
    teacher=_base_.resnet56,
    teacher_ckpt='work_dirs/ce_resnet56_1xb64_cifar10/epoch_240.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
