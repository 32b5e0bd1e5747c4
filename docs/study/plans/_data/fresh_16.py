"""Ten fresh seeds of the teachers that ``cifar10_16_exploration.py`` chose on held-out images, measured on all test images.

Three plans share these teachers: their runs have the same names and settings.
"""

_base_ = ['cifar10_16.py', 'all_teachers_16.py']

seeds = list(range(10, 20))
default = dict(data='cifar10-16', pair='resnet56_resnet20', finetune_epochs=10)
controls = ['ce', 'alone']
designs = [
    dict(type='product', loss_weight=[0.1], temperature=[0.5], margin=[-1.0], queue_size=[0], positive=['strong']),
    dict(type='product', teacher=['mcmi']),
    dict(type='product', teacher=['ce-2view'], positive=['strong']),
]
_test = [  # pictures of any size can be given to the published networks
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=16, interpolation='area'),
    dict(type='PackInputs'),
]
options = dict(
    all={'val_dataloader.dataset.pipeline': _test, 'test_dataloader.dataset.pipeline': _test},
    mcmi=_base_._mcmi,
    kd=_base_._half_teacher,
)
