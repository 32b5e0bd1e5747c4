"""Few classes with a rich inner structure: CIFAR-10 as 5 pairs of its classes, and as animals and vehicles. A trial for CPUs.

``subclass_probe`` in results.jsonl tells how much of the 10 hidden classes the features keep.
"""

_base_ = ['_data/cifar10_jpeg.py', '_data/small_resnets.py']

name = 'cifar10-coarse'
title = 'Trial of ICCKD on CIFAR-10 (JPEG) with 5 and with 2 coarse classes: 2,000 training images, small networks, CPU'
default = dict(pair='resnet56_resnet20', images=2000, epochs=12)
designs = [
    dict(type='product', data=['cifar10-coarse5', 'cifar10-coarse2'], loss_weight=[0.05, 0.3], temperature=[0.1]),
    dict(type='product', data=['cifar10-coarse5', 'cifar10-coarse2'], loss_weight=[0.3], temperature=[0.5]),
]
seconds = 33
