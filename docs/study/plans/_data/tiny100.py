"""Tiny-ImageNet's first 100 classes at 32x32, in ``data/tiny100``: what tools/prepare_data.py makes of it."""

_source = dict(type='mmpretrain.CustomDataset', data_root='data/tiny100')

datasets = {
    'tiny100': dict(
        configs='cifar100',
        train=dict(data_prefix='train', **_source),
        test=dict(data_prefix='val', test_mode=True, **_source),
        num_classes=100,
        data_preprocessor=dict(mean=[121.07, 113.81, 99.80], std=[64.89, 62.53, 65.44], to_rgb=True),
    )
}
