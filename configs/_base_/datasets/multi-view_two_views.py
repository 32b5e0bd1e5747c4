_base_ = 'multi-view.py'

data_preprocessor = dict(type='icckd_mm.TwoViewDataPreprocessor')

train_pipeline = [
    dict(type='MultiView', num_views=2, transforms=[[dict(type='RandomCrop', crop_size=16, padding=2, pad_val=128)]]),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
