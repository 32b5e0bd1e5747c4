"""Do students with 5 % of the data gain from a teacher with variety inside its classes? MCMI reports its largest gains there.

Regime: CIFAR-10 at 16x16; teachers with 10,000 images, students, also the one alone, with 500, 50 of each class, for 200 epochs
of batch 64. Not run yet.
"""

_base_ = '_data/fresh_16.py'

name = 'cifar10-16-little-data'
title = 'CIFAR-10 at 16x16: teachers with 10,000 training images, students with 500, all test images, 10 fresh seeds'
_iterations = dict(by_epoch=True, convert_to_iter_based=True)
options = dict(
    student={
        'train_dataloader.dataset': dict(
            _delete_=True, type='icckd_mm.even_subset', images=500, dataset=_base_.datasets['cifar10-16']['train']
        ),
        'train_dataloader.batch_size': 64,
        'train_cfg.max_epochs': 200,
        'train_cfg.val_interval': 200,
        'default_hooks.checkpoint.interval': 50,
        'param_scheduler': [
            dict(type='LinearLR', start_factor=0.04, begin=0, end=20, **_iterations),
            dict(type='CosineAnnealingLR', T_max=180, begin=20, end=200, **_iterations),
        ],
    },
)
seconds = 90
