"""CIFAR-10 at 16x16 as vehicles and animals, and as five pairs: the ten classes stay hidden, and are measured afterwards."""

_source = dict(type='mmpretrain.CustomDataset', data_root='data/cifar10-16')
_train = dict(data_prefix='train', **_source)
_test = dict(data_prefix='test', test_mode=True, **_source)
_kinds = dict(
    type='icckd_mm.CoarseLabels',
    groups=[['airplane', 'automobile', 'ship', 'truck'], ['bird', 'cat', 'deer', 'dog', 'frog', 'horse']],
    names=['vehicle', 'animal'],
)
_pairs = dict(
    type='icckd_mm.CoarseLabels',
    groups=[['automobile', 'truck'], ['airplane', 'ship'], ['cat', 'dog'], ['deer', 'horse'], ['bird', 'frog']],
)
_shared = dict(configs='cifar10', data_preprocessor=dict(to_rgb=True))

datasets = {
    'cifar10-16-2classes': dict(
        train=dict(dataset=_train, **_kinds), test=dict(dataset=_test, **_kinds), num_classes=2, **_shared
    ),
    'cifar10-16-5classes': dict(
        train=dict(dataset=_train, **_pairs), test=dict(dataset=_test, **_pairs), num_classes=5, **_shared
    ),
}
