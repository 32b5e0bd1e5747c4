"""The question of ``cifar10_16_exploration.py`` with 100 classes, and whether KD gains a point there. A choice, not a verdict.

Regime: 100 classes of Tiny-ImageNet at 16x16, 20,000 training images, judged on the tenth of the training images that is held
out; 40 epochs, the networks of the 10-class regime. Batches are of 512, with twice the learning rate: small steps would leave a
GPU idle. Few images pass a margin in a task this hard, so there is none. If KD gains less than a point over training alone,
change the images or epochs before anything else is run. (It gained 2.2, on held-out images and three seeds.)
"""

_base_ = ['_data/tiny100_16.py', '_data/all_teachers_16.py']

name = 'tiny100-16-exploration'
title = 'Exploration on 100 classes at 16x16: 20,000 training and 5,000 held-out images, 3 seeds (too few for a verdict)'
seeds = [0, 1, 2]
default = dict(data='tiny100-16-choice', pair='resnet56_resnet20', margin=-1.0, finetune_epochs=10)
controls = ['ce', 'alone']
designs = [
    dict(type='product', loss_weight=[0.1], temperature=[0.5], queue_size=[0], positive=['strong']),
    dict(type='product', loss_weight=[0.02, 0.05]),
    dict(type='product', teacher=['mcmi', 'ce-2view']),
]
seconds = 260
options = dict(all=_base_._large_batches, mcmi=_base_._mcmi, kd=_base_._half_teacher)
