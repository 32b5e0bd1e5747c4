"""The regime of 16x16 with 20 epochs instead of 40, for questions that need many runs."""

_base_ = 'all_teachers_16.py'

_iterations = dict(by_epoch=True, convert_to_iter_based=True)
options = dict(
    all={
        'train_cfg.max_epochs': 20,
        'train_cfg.val_interval': 20,
        'param_scheduler': [
            dict(type='LinearLR', start_factor=0.04, begin=0, end=2, **_iterations),
            dict(type='CosineAnnealingLR', T_max=18, begin=2, end=20, **_iterations),
        ],
    }
)
