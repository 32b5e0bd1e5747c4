# The benchmark's crop, flip and normalisation; the images on disk are RGB already
data_preprocessor = dict(
    type='mmpretrain.ClsDataPreprocessor', mean=[129.31, 124.11, 112.40], std=[68.21, 65.41, 70.41], to_rgb=False
)

train_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='mmpretrain.CIFAR100', data_root='data/cifar100', split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='mmpretrain.CIFAR100', data_root='data/cifar100', split='test', pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='Accuracy', topk=1)
test_dataloader = val_dataloader
test_evaluator = val_evaluator
