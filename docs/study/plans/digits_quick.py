"""A few minutes of ``digits.py``: shows that everything runs. Three seeds prove nothing."""

_base_ = 'digits.py'

name = 'digits-quick'
title = 'Trial of the digits study: 300 training images, 3 seeds, short training'
seeds = [0, 1, 2]
default = dict(epochs=30)
designs = [dict(type='star', loss_weight=[0.02, 0.1], margin=[-1.0, 0.5])]
