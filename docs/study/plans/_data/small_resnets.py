"""What the plans on real images for CPUs share: a mild and two strong losses, two controls, small residual networks."""

seeds = [0, 1, 2]
designs = [
    dict(type='product', loss_weight=[0.05, 0.3], temperature=[0.1]),
    dict(type='product', loss_weight=[0.3], temperature=[0.5]),
]
networks = dict(
    teacher={'backbone.depth': 8, 'backbone.widths': (8, 8, 16, 32), 'head.in_channels': 32},
    student={'backbone.depth': 8, 'backbone.widths': (4, 4, 8, 16), 'head.in_channels': 16},
)
device_loader = True
options = dict(
    all={
        'default_hooks.checkpoint.interval': 6,
        'default_hooks.checkpoint.save_best': None,
        'train_cfg.val_interval': 12,
        'val_dataloader.num_workers': 0,
        'val_dataloader.persistent_workers': False,
        'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False,
    }
)
