_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet56.py',
    '../../_base_/schedules/cifar_finetune_20e.py',
    '../../_base_/runtime.py',
]
model = _base_.resnet56
model.head.loss = dict(type='icckd_mm.MCMILoss', num_classes=100, kl_weight=0.25)
load_from = 'work_dirs/ce_resnet56_1xb64_cifar100/epoch_240.pth'
