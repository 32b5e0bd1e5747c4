"""CIFAR-10 as JPEG files in ``data/cifar10-jpeg/{train,test}/<class>``: with its 10 classes, 5 pairs of them, or 2 kinds."""

_train = dict(type='mmpretrain.CustomDataset', data_root='data/cifar10-jpeg', data_prefix='train')
_test = dict(type='mmpretrain.CustomDataset', data_root='data/cifar10-jpeg', data_prefix='test', test_mode=True)
_pairs = dict(
    type='icckd_mm.CoarseLabels',
    groups=[['automobile', 'truck'], ['airplane', 'ship'], ['cat', 'dog'], ['deer', 'horse'], ['bird', 'frog']],
)
_kinds = dict(
    type='icckd_mm.CoarseLabels',
    groups=[['airplane', 'automobile', 'ship', 'truck'], ['bird', 'cat', 'deer', 'dog', 'frog', 'horse']],
    names=['vehicle', 'animal'],
)
_norm = dict(to_rgb=True)  # mean and spread are those of CIFAR-10, red first; OpenCV reads blue first

datasets = {
    'cifar10-jpeg': dict(configs='cifar10', train=_train, test=_test, num_classes=10, data_preprocessor=_norm),
    'cifar10-coarse5': dict(
        configs='cifar10',
        train=dict(dataset=_train, **_pairs),
        test=dict(dataset=_test, **_pairs),
        num_classes=5,
        data_preprocessor=_norm,
    ),
    'cifar10-coarse2': dict(
        configs='cifar10',
        train=dict(dataset=_train, **_kinds),
        test=dict(dataset=_test, **_kinds),
        num_classes=2,
        data_preprocessor=_norm,
    ),
}
