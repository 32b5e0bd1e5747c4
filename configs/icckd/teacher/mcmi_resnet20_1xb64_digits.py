_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
model = _base_.resnet20
model.head.num_classes = 10
model.head.loss = dict(type='icckd_mm.MCMILoss', num_classes=10, kl_weight=0.25)
param_scheduler = dict(T_max=20)
train_cfg = dict(max_epochs=20)
load_from = 'work_dirs/ce_resnet20_1xb64_digits/epoch_15.pth'
