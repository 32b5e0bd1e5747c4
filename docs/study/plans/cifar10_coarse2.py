"""Few classes with a rich inner structure: CIFAR-10 as vehicles and animals. A trial for CPUs.

``subclass_probe`` in results.jsonl says how much the features keep of the 10 hidden classes.
"""

_base_ = ['_data/cifar10_jpeg.py', '_data/small_resnets.py']

name = 'cifar10-coarse2'
title = 'Trial of ICCKD on CIFAR-10 (JPEG) as vehicles and animals: 2,000 training images, small networks, CPU'
default = dict(data='cifar10-coarse2', pair='resnet56_resnet20', images=2000, epochs=12)
seconds = 33
