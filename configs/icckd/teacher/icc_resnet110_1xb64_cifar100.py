_base_ = [
    '../../_base_/datasets/cifar100_two_views.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = _base_.resnet110
custom_hooks = [
    dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=0.02))
]
