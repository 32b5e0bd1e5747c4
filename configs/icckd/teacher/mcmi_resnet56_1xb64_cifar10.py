_base_ = [
    '../../_base_/datasets/cifar10.py',
    '../../_base_/models/resnet56.py',
    '../../_base_/schedules/cifar_finetune_20e.py',
    '../../_base_/runtime.py',
]
model = _base_.resnet56
model.head.num_classes = 10
model.head.loss = dict(type='icckd_mm.MCMILoss', num_classes=10, kl_weight=0.25)
load_from = 'work_dirs/ce_resnet56_1xb64_cifar10/epoch_240.pth'
