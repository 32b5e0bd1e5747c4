"""The question of ``cifar10_16_2classes.py`` on Tiny-ImageNet: 200 hidden classes under 20 labels. Not run yet."""

_base_ = ['_data/tiny200_16_20parents.py', '_data/short_16.py']

name = 'tiny200-16-20parents'
title = 'Hidden classes: Tiny-ImageNet at 16x16, 200 classes as 20, 20,000 training images, 5 seeds (too few for a verdict)'
seeds = [0, 1, 2, 3, 4]
default = dict(data='tiny200-16-20parents', pair='resnet56_resnet20', margin=-1.0, queue_size=0)
designs = [
    dict(type='product', loss_weight=[0.3], temperature=[0.5], positive=['strong'], student=['kd', 'subclass-5', 'lelp-5']),
    dict(type='product', loss_weight=[0.05], temperature=[0.1]),
    dict(type='product', teacher=['supcon-icc'], loss_weight=[0.3], temperature=[0.5], positive=['strong']),
]
seconds = 160
options = {'supcon-icc': _base_._supcon, **dict.fromkeys(['kd', 'subclass-5', 'lelp-5'], _base_._half_teacher)}
