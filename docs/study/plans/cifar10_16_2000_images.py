"""``cifar10_16_fresh_seeds.py`` with 2,000 training images: a teacher that memorises is where classes should collapse.

As many steps as with 10,000 images: 200 epochs. Not run yet.
"""

_base_ = '_data/fresh_16.py'

name = 'cifar10-16-2000-images'
title = 'ICCKD on CIFAR-10 at 16x16: 2,000 training images, all test images, 10 fresh seeds'
default = dict(images=2000)
_iterations = dict(by_epoch=True, convert_to_iter_based=True)
options = dict(
    all={
        'train_cfg.max_epochs': 200,
        'train_cfg.val_interval': 200,
        'default_hooks.checkpoint.interval': 25,
        'param_scheduler': [
            dict(type='LinearLR', start_factor=0.04, begin=0, end=20, **_iterations),
            dict(type='CosineAnnealingLR', T_max=180, begin=20, end=200, **_iterations),
        ],
    }
)
seconds = 150
