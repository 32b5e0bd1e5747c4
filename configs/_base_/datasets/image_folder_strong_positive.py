# Two views: the first, which cross-entropy sees, is augmented as usual, the second by resized crop, colour jitter and grey
_base_ = 'image_folder.py'

data_preprocessor = dict(type='icckd_mm.TwoViewDataPreprocessor')

strong_pipeline = [
    dict(type='RandomResizedCrop', scale=224, crop_ratio_range=(0.3, 1.0)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(
        type='RandomApply',
        prob=0.8,
        transforms=[dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4)],
    ),
    dict(type='RandomGrayscale', prob=0.2, keep_channels=True, channel_weights=(0.114, 0.587, 0.2989)),
]
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='MultiView', num_views=[1, 1], transforms=[_base_.train_pipeline[1:-1], strong_pipeline]),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
