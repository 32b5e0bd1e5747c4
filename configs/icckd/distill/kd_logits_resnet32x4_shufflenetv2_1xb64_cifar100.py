_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet32x4.py',
    '../../_base_/models/shufflenetv2.py',
    '../../_base_/distill/kd_logits.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.shufflenetv2.head.loss.loss_weight = 0.1  # the soft labels have the rest
model = dict(
    architecture=_base_.shufflenetv2,
    teacher=_base_.resnet32x4,
    teacher_ckpt='work_dirs/ce_resnet32x4_1xb64_cifar100/epoch_240.pth',
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
val_cfg = dict(type='icckd_mm.DistillValLoop')
