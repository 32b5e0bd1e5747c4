"""``cifar10_16_2classes.py`` with five classes, each a pair of CIFAR-10 classes. Not run yet."""

_base_ = 'cifar10_16_2classes.py'

name = 'cifar10-16-5classes'
title = 'Hidden classes: CIFAR-10 at 16x16 as 5 pairs, 10,000 training images, 5 seeds (too few for a verdict on accuracy)'
default = dict(data='cifar10-16-5classes')
