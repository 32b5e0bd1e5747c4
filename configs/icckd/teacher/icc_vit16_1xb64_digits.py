_base_ = [
    '../../_base_/datasets/digits_two_views.py',
    '../../_base_/models/digits/vit16.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
model = _base_.vit16
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=2e-3, weight_decay=0.05))
custom_hooks = [
    dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=0.02))
]
