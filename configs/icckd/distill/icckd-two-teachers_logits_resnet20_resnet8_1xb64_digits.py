_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/distill/two_teachers.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
_base_.resnet8.head.loss.loss_weight = 0.1  # the soft labels have 0.9
model = dict(
    architecture=_base_.resnet8,
    teacher=dict(
        teachers=[_base_.resnet20, _base_.resnet20],
        teacher_ckpts=[  # tools/train.py ...icc_resnet20_1xb64_digits.py --seed 0 or 1 --work-dir ...
            'work_dirs/icc_resnet20_1xb64_digits_seed0/epoch_15.pth',
            'work_dirs/icc_resnet20_1xb64_digits_seed1/epoch_15.pth',
        ],
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
