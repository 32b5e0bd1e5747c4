vgg13 = dict(
    _scope_='mmpretrain',
    type='ImageClassifier',
    backbone=dict(type='icckd_mm.CIFARVGG', depth=13),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=512,
        init_cfg=dict(type='Normal', layer='Linear', std=0.01),
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
        topk=(1,),
    ),
)
