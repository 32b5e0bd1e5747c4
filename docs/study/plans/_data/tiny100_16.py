"""20,000 images of Tiny-ImageNet's first 100 classes at 16x16, in ``data/tiny100-16``: see tools/prepare_data.py.

``tiny100-16-choice`` is judged on the tenth of all training images that is held out, for choices; ``tiny100-16`` on the test
images. Mean and std are those of 32x32.
"""

_source = dict(type='mmpretrain.CustomDataset', data_root='data/tiny100-16')
_all = dict(data_prefix='train', **_source)
_some = dict(type='icckd_mm.EvenPlaces', images=20000)  # chosen among the images that are not held out
_split = dict(type='icckd_mm.held_out_part', fraction=0.1, dataset=_all)
_shared = dict(
    configs='cifar100',
    num_classes=100,
    data_preprocessor=dict(mean=[121.07, 113.81, 99.80], std=[64.89, 62.53, 65.44], to_rgb=True),
)

datasets = {
    'tiny100-16-choice': dict(
        train=dict(dataset=dict(held_out=False, **_split), **_some), test=dict(held_out=True, **_split), **_shared
    ),
    'tiny100-16': dict(train=dict(dataset=_all, **_some), test=dict(data_prefix='val', test_mode=True, **_source), **_shared),
}
_large_batches = {'train_dataloader.batch_size': 512, 'optim_wrapper.optimizer.lr': 0.2}  # a GPU is idle in small steps
