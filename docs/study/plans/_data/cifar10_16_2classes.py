"""CIFAR-10 at 16x16 as vehicles and animals: the ten classes stay hidden in training, and are measured afterwards."""

_source = dict(type='mmpretrain.CustomDataset', data_root='data/cifar10-16')
_kinds = dict(
    type='icckd_mm.CoarseLabels',
    groups=[['airplane', 'automobile', 'ship', 'truck'], ['bird', 'cat', 'deer', 'dog', 'frog', 'horse']],
    names=['vehicle', 'animal'],
)

datasets = {
    'cifar10-16-2classes': dict(
        configs='cifar10',
        train=dict(dataset=dict(data_prefix='train', **_source), **_kinds),
        test=dict(dataset=dict(data_prefix='test', test_mode=True, **_source), **_kinds),
        num_classes=2,
        data_preprocessor=dict(to_rgb=True),
    )
}
