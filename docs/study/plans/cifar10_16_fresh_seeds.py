"""The verdict that ``cifar10_16_exploration.py`` prepares: one setting on ten fresh seeds and the test images. Not run yet.

The exploration chooses the setting under ``designs`` on held-out images. It is filled in, and committed, before the first run.
Until then the values below are those of the paper's default loss and mean nothing.
"""

_base_ = ['_data/cifar10_16.py', '_data/regime_16.py']

name = 'cifar10-16-fresh-seeds'
title = 'ICCKD on CIFAR-10 at 16x16: 10,000 training images, all test images, 10 fresh seeds'
seeds = list(range(10, 20))
default = dict(data='cifar10-16', pair='resnet56_resnet20')
designs = [dict(type='product', loss_weight=[0.02], margin=[0.5], temperature=[0.1], student=['kd', 'kd-rkd'])]
seconds = 240
