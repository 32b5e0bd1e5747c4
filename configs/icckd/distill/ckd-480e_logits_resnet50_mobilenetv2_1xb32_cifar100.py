_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet50.py',
    '../../_base_/models/mobilenetv2.py',
    '../../_base_/distill/ckd_logits.py',
    '../../_base_/schedules/cifar_480e.py',
    '../../_base_/runtime.py',
]
_base_.model.distiller.distill_losses.loss_ckd.update(temperature=1.0, loss_weight=100.0)
train_dataloader = dict(batch_size=32)
model = dict(
    architecture=_base_.mobilenetv2,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_1xb64_cifar100/epoch_240.pth',
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
val_cfg = dict(type='icckd_mm.DistillValLoop')
