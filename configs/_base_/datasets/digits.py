# scikit-learn's handwritten digits at 16x16; mean and std of the training images, rounded
data_preprocessor = dict(type='mmpretrain.ClsDataPreprocessor', mean=[78, 78, 78], std=[82, 82, 82])

train_pipeline = [
    dict(type='RandomCrop', crop_size=16, padding=2),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=0,  # the images are in memory and small
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='icckd_mm.Digits', split='train', scale=16, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=360,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='icckd_mm.Digits', split='test', scale=16, pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='Accuracy', topk=1)
test_dataloader = val_dataloader
test_evaluator = val_evaluator
