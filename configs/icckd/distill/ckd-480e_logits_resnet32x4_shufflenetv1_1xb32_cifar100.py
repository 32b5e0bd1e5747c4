_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet32x4.py',
    '../../_base_/models/shufflenetv1.py',
    '../../_base_/distill/ckd_logits.py',
    '../../_base_/schedules/cifar_480e.py',
    '../../_base_/runtime.py',
]
_base_.model.distiller.distill_losses.loss_ckd.update(temperature=1.0, loss_weight=100.0)
train_dataloader = dict(batch_size=32)
model = dict(
    architecture=_base_.shufflenetv1,
    teacher=_base_.resnet32x4,
    teacher_ckpt='work_dirs/ce_resnet32x4_1xb64_cifar100/epoch_240.pth',
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
val_cfg = dict(type='icckd_mm.DistillValLoop')
