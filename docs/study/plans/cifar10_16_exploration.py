"""Which intra-class contrastive teacher, if any, is worth ten fresh seeds? A choice, not a verdict.

CIFAR-10 at 16x16, 10,000 training images. Judged on 5,000 images held out from the training set, so that the test images stay
unseen for ``cifar10_16_fresh_seeds.py``. The study continues only if KD gains a point over training alone. Controls come first.
"""

_base_ = ['_data/cifar10_16.py', '_data/regime_16.py']

name = 'cifar10-16-exploration'
title = 'Exploration of ICCKD on CIFAR-10 at 16x16: 10,000 training and 5,000 held-out images, 3 seeds (too few for a verdict)'
seeds = [0, 1, 2]
default = dict(data='cifar10-16-choice', pair='resnet56_resnet20')
_students = ['kd', 'kd-rkd']
designs = [
    dict(type='product', loss_weight=[0.05], student=_students),
    dict(type='product', loss_weight=[0.3], temperature=[0.5], student=_students),
    dict(type='product', loss_weight=[0.2, 0.02], student=_students),
    dict(type='product', margin=[-1.0], student=_students),
    dict(type='product', queue_size=[0], student=_students),
    dict(type='product', teacher=['ls'], student=_students),
]
seconds = 240
