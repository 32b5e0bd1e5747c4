_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/shufflenetv1.py',
    '../../_base_/distill/kd_logits.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.shufflenetv1.head.loss.loss_weight = 0.1  # the soft labels have the rest
model = dict(
    architecture=_base_.shufflenetv1,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/ce_wrn40-2_1xb64_cifar100/epoch_240.pth',
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
val_cfg = dict(type='icckd_mm.DistillValLoop')
