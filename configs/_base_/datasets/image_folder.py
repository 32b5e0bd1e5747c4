# Any folder of images with a folder a class: put it there, or set data_root of train_dataloader and val_dataloader on
# the command line, which the test set follows
_base_ = 'in1k.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmpretrain.CustomDataset',
        data_root='data/images',
        data_prefix='train',
        pipeline=_base_.train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmpretrain.CustomDataset',
        data_root='data/images',
        data_prefix='val',
        pipeline=_base_.test_pipeline,
        test_mode=True,
    )
)
test_dataloader = val_dataloader
