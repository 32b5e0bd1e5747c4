# ab: Second stage: labels alone, from the student that the first stage left
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.vgg8.head.num_classes = 10
_base_.vgg8.init_cfg = dict(
    type='Pretrained',
    checkpoint='work_dirs/icckd-ab-pretrain_backbone_vgg13_vgg8_1xb64_digits/epoch_15.pth',
    prefix='architecture',
)
model = _base_.vgg8
