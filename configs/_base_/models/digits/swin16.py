# A Swin transformer for images of 16x16 pixels: patches of 2x2, stages of 8x8, 4x4 and 2x2 tokens in windows of 2x2
swin16 = dict(
    _scope_='mmpretrain',
    type='ImageClassifier',
    backbone=dict(
        type='SwinTransformer',
        arch=dict(embed_dims=32, depths=[1, 1, 1], num_heads=[2, 4, 4]),
        img_size=16,
        patch_size=2,
        window_size=2,
        out_indices=(2,),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=10,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
        topk=(1,),
    ),
)
