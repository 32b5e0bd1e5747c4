_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/distill/ab_pretrain_vgg.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.vgg13.head.num_classes = 10
_base_.vgg8.head.num_classes = 10
model = dict(
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/icc_vgg13_1xb64_digits/epoch_15.pth',
)
val_cfg = val_dataloader = val_evaluator = None  # the student cannot classify yet
default_hooks = dict(checkpoint=dict(save_best=None))
