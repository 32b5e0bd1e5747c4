_base_ = [
    '../../_base_/datasets/multi-view.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/distill/kd_logits.py',
    '../../_base_/schedules/multi-view_20e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
_base_.resnet8.head.loss.loss_weight = 0.1  # the soft labels have the rest
model = dict(
    architecture=_base_.resnet8,
    teacher=_base_.resnet20,
    teacher_ckpt='work_dirs/ce_resnet20_1xb32_multi-view/epoch_20.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
