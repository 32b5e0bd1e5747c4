_base_ = [
    '../../_base_/datasets/cifar10_two_views.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/schedules/cifar_finetune_20e.py',
    '../../_base_/runtime.py',
]
model = _base_.vgg13
model.head.num_classes = 10
custom_hooks = [
    dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=0.02))
]
load_from = 'work_dirs/ce_vgg13_1xb64_cifar10/epoch_240.pth'
