"""Whether pushing apart keeps classes that the labels do not name, in the teacher and in its students.

Regime: CIFAR-10 at 16x16 as two classes, 10,000 training images, all test images, 20 epochs. CE and two views are the controls.
``hidden_classes`` in results.jsonl has the probe, clusters and retrieval of the ten classes. ICC has no margin and no queue, as
the class-conditional InfoNCE of Chen et al. 2022: half of a batch is of the anchor's class.
"""

_base_ = ['_data/cifar10_16_coarse.py', '_data/short_16.py']

name = 'cifar10-16-2classes'
title = 'Hidden classes: CIFAR-10 at 16x16 as 2 classes, 10,000 training images, 5 seeds (too few for a verdict on accuracy)'
seeds = [0, 1, 2, 3, 4]
default = dict(data='cifar10-16-2classes', pair='resnet56_resnet20', margin=-1.0, queue_size=0)
_wide = ['kd', 'kd-rkd', 'subclass-5', 'lelp-5']
designs = [
    dict(type='product', loss_weight=[0.3], temperature=[0.5], positive=['strong'], student=_wide),
    dict(type='product', loss_weight=[0.05], temperature=[0.1]),
    dict(type='product', loss_weight=[0.3], temperature=[0.5]),
    dict(type='product', teacher=['supcon'], positive=['strong']),
    dict(type='product', teacher=['supcon-icc'], loss_weight=[0.3], temperature=[0.5], positive=['strong']),
]
seconds = 100
options = {
    'supcon': _base_._supcon,
    'supcon-icc': _base_._supcon,
    **dict.fromkeys(_wide, _base_._half_teacher),
}
