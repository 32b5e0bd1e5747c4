_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/distill/dfad.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
model = dict(
    architecture=_base_.resnet8,
    teachers=dict(teacher=dict(build_cfg=_base_.resnet20, ckpt_path='work_dirs/icc_resnet20_1xb64_digits/epoch_15.pth')),
    generator=dict(img_size=16, latent_dim=100, hidden_channels=32),
)
optim_wrapper = dict(
    _delete_=True,
    constructor='mmrazor.SeparateOptimWrapperConstructor',
    architecture=dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4)),
    generator=dict(optimizer=dict(type='AdamW', lr=1e-3)),
)
default_hooks = dict(finite_guard=dict(mode='off'))  # it guards a single optimizer
