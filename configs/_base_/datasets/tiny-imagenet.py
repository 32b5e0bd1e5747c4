# Mean and std of all pixels of the training images; crop and flip as on CIFAR, with a margin of an eighth
data_preprocessor = dict(
    type='mmpretrain.ClsDataPreprocessor', mean=[122.45, 114.27, 101.36], std=[70.64, 68.62, 71.94], to_rgb=True
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomCrop', crop_size=64, padding=8),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='icckd_mm.TinyImageNet', data_root='data/tiny-imagenet-200', split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='icckd_mm.TinyImageNet',
        data_root='data/tiny-imagenet-200',
        split='val',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type='Accuracy', topk=1)
test_dataloader = val_dataloader
test_evaluator = val_evaluator
