_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn40-1.py',
    '../../_base_/distill/ckd_logits.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.model.distiller.distill_losses.loss_ckd.update(temperature=2.0, loss_weight=50.0)
train_dataloader = dict(batch_size=32)
model = dict(
    architecture=_base_.wrn40_1,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/ce_wrn40-2_1xb64_cifar100/epoch_240.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
