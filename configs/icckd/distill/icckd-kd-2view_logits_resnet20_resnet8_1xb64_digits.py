# KD on the two views of MLKD: what these views alone bring
_base_ = [
    '../../_base_/datasets/digits_weak_strong_views.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/distill/kd_logits.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
_base_.resnet8.head.loss.loss_weight = 0.1  # the soft labels have 0.9
model = dict(
    architecture=_base_.resnet8,
    teacher=_base_.resnet20,
    teacher_ckpt='work_dirs/icc_resnet20_1xb64_digits/epoch_15.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
