resnet32x4 = dict(
    _scope_='mmpretrain',
    type='ImageClassifier',
    backbone=dict(type='icckd_mm.CIFARResNet', depth=32, widths=[32, 64, 128, 256]),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=256,
        init_cfg=None,  # PyTorch's own initialisation
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
        topk=(1,),
    ),
)
