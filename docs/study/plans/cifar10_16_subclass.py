"""Whether soft labels of pseudo-subclasses carry more of a spread-out teacher than those of two classes.

Regime: as ``cifar10_16_2classes.py``. S of 2, 5 and 10 subclasses per class, by k-means (``subclass``) and along principal
directions (``lelp``); LELP of the CE teacher is the baseline to beat. Hints and CRD also carry features. Not run yet.
"""

_base_ = ['_data/cifar10_16_coarse.py', '_data/short_16.py']

name = 'cifar10-16-subclass'
title = 'Pseudo-subclasses: CIFAR-10 at 16x16 as 2 classes, 10,000 training images, 5 seeds (too few for a verdict)'
seeds = [0, 1, 2, 3, 4]
default = dict(data='cifar10-16-2classes', pair='resnet56_resnet20', margin=-1.0, queue_size=0)
_students = ['kd', 'subclass-2', 'subclass-5', 'subclass-10', 'lelp-2', 'lelp-5', 'lelp-10', 'crd', 'fitnet']
designs = [
    dict(type='product', loss_weight=[0.05], temperature=[0.1], student=_students),
    dict(type='product', loss_weight=[0.3], temperature=[0.5], positive=['strong'], student=_students),
]
seconds = 80
options = {
    **dict.fromkeys(_students, _base_._half_teacher),
    'crd': dict(_base_._crd, **_base_._half_teacher),
    'fitnet': dict(_base_._hint, **_base_._half_teacher),
}
