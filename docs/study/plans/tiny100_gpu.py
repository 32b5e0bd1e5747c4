"""All 50,000 images of 100 classes of Tiny-ImageNet at 32x32, with the benchmark's networks: for a GPU (``--workers 3``)."""

_base_ = '_data/tiny100.py'

name = 'tiny100-gpu'
title = 'Trial of ICCKD on 100 classes of Tiny-ImageNet at 32x32: 50,000 training images, WRN-40-2 to WRN-16-2, 30 epochs'
seeds = [0, 1, 2]
default = dict(data='tiny100', pair='wrn40-2_wrn16-2', epochs=30)
designs = [
    dict(type='product', student=['kd', 'kd-rkd'], loss_weight=[0.02, 0.05], temperature=[0.1]),
    dict(type='product', student=['kd', 'kd-rkd'], loss_weight=[0.3], temperature=[0.5]),
]
device_loader = True
options = dict(
    all={
        'default_hooks.checkpoint.interval': 5,
        'default_hooks.checkpoint.save_best': None,
        'train_cfg.val_interval': 5,
        'randomness.deterministic': True,
        'env_cfg.cudnn_benchmark': False,
    }
)
