"""Many classes with few images: 50 of each of 100 classes of Tiny-ImageNet, a data set of the paper, at 32x32. For CPUs.

The networks classify one image in ten correctly, so hardly any would pass a margin. With margin -1 all pass.
"""

_base_ = ['_data/tiny100.py', '_data/small_resnets.py']

name = 'tiny100'
title = 'Trial of ICCKD on 100 classes of Tiny-ImageNet at 32x32: 5,000 training images, small networks, CPU'
default = dict(data='tiny100', pair='resnet56_resnet20', images=5000, epochs=12, margin=-1.0)
seconds = 75
networks = dict(  # wider, for a hundred classes
    teacher={'backbone.widths': (8, 8, 32, 64), 'head.in_channels': 64},
    student={'backbone.widths': (8, 8, 16, 32), 'head.in_channels': 32},
)
