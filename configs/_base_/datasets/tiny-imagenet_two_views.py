_base_ = 'tiny-imagenet.py'

data_preprocessor = dict(type='icckd_mm.TwoViewDataPreprocessor')

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='MultiView', num_views=2, transforms=[_base_.train_pipeline[1:-1]]),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
