"""Does the enriched teacher help on photographs? A trial for CPUs: 400 images per class of CIFAR-10, saved as JPEG files.

After so short a training few images have a margin of 0.5. With margin 0 all that are classified correctly pass.
"""

_base_ = ['_data/cifar10_jpeg.py', '_data/small_resnets.py']

name = 'cifar10-jpeg'
title = 'Trial of ICCKD on CIFAR-10 (JPEG): 4,000 training images, small networks, CPU'
default = dict(data='cifar10-jpeg', pair='resnet56_resnet20', images=4000, epochs=12, margin=0.0)
seconds = 55
