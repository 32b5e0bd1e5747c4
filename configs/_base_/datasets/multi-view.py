# Generated images of classes with several views, 16x16; a tenth of the training images and half of the test images show a
# single view; mean is the grey of the background, std that of the training images, rounded
data_preprocessor = dict(type='mmpretrain.ClsDataPreprocessor', mean=[128, 128, 128], std=[47, 47, 47])

train_pipeline = [
    dict(type='RandomCrop', crop_size=16, padding=2, pad_val=128),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs', meta_keys=('sample_idx', 'img_shape', 'view', 'traces'))]

train_dataloader = dict(
    batch_size=32,  # 16 steps per epoch; with half as many narrow networks do not learn
    num_workers=0,  # the images are in memory and small
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='icckd_mm.MultiViewPatterns', split='train', images=500, single_view=0.1, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=600,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='icckd_mm.MultiViewPatterns',
        split='test',
        images=600,
        single_view=0.5,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type='Accuracy', topk=1)
test_dataloader = val_dataloader
test_evaluator = val_evaluator
