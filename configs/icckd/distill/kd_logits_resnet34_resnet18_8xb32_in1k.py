_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/resnet34.py',
    '../../_base_/models/in1k/resnet18.py',
    '../../_base_/distill/kd_logits_in1k.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
_base_.resnet18.head.loss.loss_weight = 0.5  # the soft labels have the rest
model = dict(
    architecture=_base_.resnet18,
    teacher=_base_.resnet34,
    teacher_ckpt='work_dirs/ce_resnet34_8xb32_in1k/epoch_100.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
