# Two views as for the ICC teacher, but loss weight 0: the effect of the second view alone
_base_ = '../teacher/icc_resnet50_1xb64_cifar100.py'

custom_hooks = [
    dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=0))
]
