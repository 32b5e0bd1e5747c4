data_preprocessor = dict(
    mean=[
        125.31,
        122.95,
        113.87,
    ],
    std=[
        62.99,
        62.09,
        66.7,
    ],
    to_rgb=True,
    type='ClsDataPreprocessor',
)
default_scope = 'mmpretrain'
model = dict(
    backbone=dict(
        depth=8,
        type='icckd_mm.CIFARResNet',
        widths=(
            8,
            8,
            16,
            32,
        ),
    ),
    data_preprocessor=dict(
        mean=[
            125.31,
            122.95,
            113.87,
        ],
        std=[
            62.99,
            62.09,
            66.7,
        ],
        to_rgb=True,
        type='ClsDataPreprocessor',
    ),
    head=dict(
        in_channels=32, init_cfg=None, loss=dict(type='CrossEntropyLoss'), num_classes=10, topk=(1,), type='LinearClsHead'
    ),
    neck=dict(type='GlobalAveragePooling'),
    type='ImageClassifier',
)
test_cfg = dict()
test_dataloader = dict(
    batch_size=256,
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        data_prefix='test',
        data_root='data/cifar10-16',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(interpolation='area', scale=16, type='Resize'),
            dict(type='PackInputs'),
        ],
        test_mode=True,
        type='mmpretrain.CustomDataset',
    ),
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(shuffle=False, type='DefaultSampler'),
)
test_evaluator = [
    dict(topk=1, type='Accuracy'),
]
