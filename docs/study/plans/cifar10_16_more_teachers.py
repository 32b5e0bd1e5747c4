"""What the first exploration leaves out: other settings and teachers, and students by KD+RKD, DKD and CRD.

Regime: as ``cifar10_16_exploration.py``, judged on the same held-out images: a choice, not a verdict. Not run yet.
"""

_base_ = ['_data/cifar10_16.py', '_data/all_teachers_16.py']

name = 'cifar10-16-more-teachers'
title = 'More teachers on CIFAR-10 at 16x16: 10,000 training and 5,000 held-out images, 3 seeds (too few for a verdict)'
seeds = [0, 1, 2]
default = dict(data='cifar10-16-choice', pair='resnet56_resnet20', stop_epoch=20, finetune_epochs=10)
_wide = ['kd', 'kd-rkd', 'dkd', 'kd-crd']
controls = ['ce', 'alone']
designs = [
    dict(
        type='product', loss_weight=[0.1], temperature=[0.5], margin=[-1.0], queue_size=[0], positive=['strong'], student=_wide
    ),
    dict(type='product', loss_weight=[0.05], student=_wide),
    dict(type='product', teacher=['ce-2view'], student=_wide),
    dict(type='product', loss_weight=[0.05], positive=['strong']),
    dict(type='product', loss_weight=[0.2]),
    dict(type='product', loss_weight=[0.3], temperature=[0.5]),
    dict(type='product', loss_weight=[0.05], margin=[-1.0]),
    dict(type='product', loss_weight=[0.05], queue_size=[0]),
    dict(type='product', loss_weight=[0.05], begin=[27]),  # the last third
    dict(type='product', loss_weight=[0.05], teacher=['icc-ft']),
    dict(type='product', teacher=['ls', 'ce-stop']),
]
seconds = 140
_stopped = {'train_cfg.max_epochs': 20, 'train_cfg.val_interval': 20}
options = {
    'ce-stop': _stopped,
    'icc-ft': dict(_base_._mcmi, **_base_._supcon),
    'kd': _base_._half_teacher,
    'kd-rkd': _base_._half_teacher,
    'dkd': _base_._half_teacher,
    'kd-crd': dict(_base_._crd, **_base_._half_teacher),
}
