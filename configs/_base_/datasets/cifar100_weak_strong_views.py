# A weak and a strong view of each image, as one batch with the labels repeated. The strong view is MLKD's: two operations of
# RandAugment at random magnitudes (mmpretrain's list of operations), then a square of up to half the side cut out
_base_ = 'cifar100.py'

data_preprocessor = dict(type='icckd_mm.TwoViewDataPreprocessor', repeat_samples=True)

strong_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='RandAugment', policies='timm_increasing', num_policies=2, magnitude_level=10, magnitude_std='inf'),
    dict(type='Cutout', magnitude_range=(0, 16), magnitude_level=10, magnitude_std='inf', pad_val=(125, 123, 114), prob=1.0),
]
train_pipeline = [
    dict(type='MultiView', num_views=[1, 1], transforms=[_base_.train_pipeline[:-1], strong_pipeline]),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
