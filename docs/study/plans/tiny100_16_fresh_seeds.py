"""The verdict that ``tiny100_16_exploration.py`` prepares: one setting on ten fresh seeds and the test images. Not run yet.

The exploration chooses the setting under ``designs`` on held-out images. It is filled in, and committed, before the first run.
Until then the values below mean nothing.
"""

_base_ = ['_data/tiny100_16.py', '_data/all_teachers_16.py']

name = 'tiny100-16-fresh-seeds'
title = 'ICCKD on 100 classes of Tiny-ImageNet at 16x16: 20,000 training images, all test images, 10 fresh seeds'
seeds = list(range(10, 20))
default = dict(data='tiny100-16', pair='resnet56_resnet20', margin=-1.0, finetune_epochs=10)
designs = [
    dict(type='product', loss_weight=[0.02]),
    dict(type='product', teacher=['mcmi']),
]
seconds = 260
options = dict(all=_base_._large_batches, mcmi=_base_._mcmi, kd=_base_._half_teacher)
