"""Where KD helps: which intra-class contrastive teacher, if any, is worth ten fresh seeds? A choice, not a verdict.

CIFAR-10 at 16x16, 10,000 training images. Judged on 5,000 images held out of the training set, so that the test images stay
unseen for ``cifar10_16_fresh_seeds.py``. Three settings: a strong second view, the default loss, a weight at which classes
visibly spread. The default loss was chosen. MCMI is the nearest published relative. ``cifar10_16_more_teachers.py`` has more.
"""

_base_ = ['_data/cifar10_16.py', '_data/all_teachers_16.py']

name = 'cifar10-16-exploration'
title = 'Exploration of ICCKD on CIFAR-10 at 16x16: 10,000 training and 5,000 held-out images, 3 seeds (too few for a verdict)'
seeds = [0, 1, 2]
default = dict(data='cifar10-16-choice', pair='resnet56_resnet20', finetune_epochs=10)
controls = ['ce', 'alone']
designs = [
    dict(type='product', loss_weight=[0.1], temperature=[0.5], margin=[-1.0], queue_size=[0], positive=['strong']),
    dict(type='product', loss_weight=[0.02, 0.05]),
    dict(type='product', teacher=['mcmi', 'ce-2view']),  # two views of the weak kind only; the fresh seeds have their own
]
seconds = 130
options = dict(mcmi=_base_._mcmi, kd=_base_._half_teacher)
