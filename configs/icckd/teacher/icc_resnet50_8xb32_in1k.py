_base_ = [
    '../../_base_/datasets/in1k_two_views.py',
    '../../_base_/models/in1k/resnet50.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
model = _base_.resnet50
custom_hooks = [
    dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=0.02))
]
