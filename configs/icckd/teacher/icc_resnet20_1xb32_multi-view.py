_base_ = [
    '../../_base_/datasets/multi-view_two_views.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/multi-view_20e.py',
    '../../_base_/runtime.py',
]
model = _base_.resnet20
model.head.num_classes = 10
custom_hooks = [
    dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=0.02))
]
