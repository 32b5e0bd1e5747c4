data_preprocessor = dict(
    mean=[
        78,
        78,
        78,
    ],
    std=[
        82,
        82,
        82,
    ],
    type='ClsDataPreprocessor',
)
default_scope = 'mmpretrain'
model = dict(
    backbone=dict(
        depth=8,
        type='icckd_mm.CIFARResNet',
        widths=[
            8,
            8,
            16,
            32,
        ],
    ),
    data_preprocessor=dict(
        mean=[
            78,
            78,
            78,
        ],
        std=[
            82,
            82,
            82,
        ],
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
    batch_size=360,
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        pipeline=[
            dict(
                scale=(
                    16,
                    16,
                ),
                type='Resize',
            ),
            dict(type='PackInputs'),
        ],
        scale=16,
        split='test',
        test_mode=True,
        type='icckd_mm.Digits',
    ),
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(shuffle=False, type='DefaultSampler'),
)
test_evaluator = [
    dict(topk=1, type='Accuracy'),
]
