"""CIFAR-10 averaged to 16x16, in ``data/cifar10-16``: what tools/prepare_data.py makes of its image files.

``cifar10-16-choice`` is judged on training images that were held out, for choices; ``cifar10-16`` on the test images.
"""

_source = dict(type='mmpretrain.CustomDataset', data_root='data/cifar10-16')
_train = dict(data_prefix='train', **_source)
_shared = dict(configs='cifar10', train=_train, num_classes=10, data_preprocessor=dict(to_rgb=True))

datasets = {
    'cifar10-16-choice': dict(test=dict(data_prefix='held_out', test_mode=True, **_source), **_shared),
    'cifar10-16': dict(test=dict(data_prefix='test', test_mode=True, **_source), **_shared),
}
