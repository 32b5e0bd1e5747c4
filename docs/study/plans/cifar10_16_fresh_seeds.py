"""The verdict that ``cifar10_16_exploration.py`` prepares: one setting on ten fresh seeds and the test images.

The exploration chose the setting on held-out images; see ``_data/fresh_16.py``.
"""

_base_ = '_data/fresh_16.py'

name = 'cifar10-16-fresh-seeds'
title = 'ICCKD on CIFAR-10 at 16x16: 10,000 training images, all test images, 10 fresh seeds'
seconds = 150
