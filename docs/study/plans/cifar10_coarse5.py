"""``cifar10_coarse2.py`` with five classes, each a pair of CIFAR-10 classes. A trial for CPUs."""

_base_ = 'cifar10_coarse2.py'

name = 'cifar10-coarse5'
title = 'Trial of ICCKD on CIFAR-10 (JPEG) as 5 pairs of classes: 2,000 training images, small networks, CPU'
default = dict(data='cifar10-coarse5')
