_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/models/resnet32.py',
    '../../_base_/distill/ckd_logits.py',
    '../../_base_/schedules/cifar_480e.py',
    '../../_base_/runtime.py',
]
_base_.model.distiller.distill_losses.loss_ckd.update(temperature=1.0, loss_weight=10.0)
model = dict(
    architecture=_base_.resnet32,
    teacher=_base_.resnet110,
    teacher_ckpt='work_dirs/ce_resnet110_1xb64_cifar100/epoch_240.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
