wrn16_2 = dict(
    _scope_='mmpretrain',
    type='ImageClassifier',
    backbone=dict(type='icckd_mm.CIFARWideResNet', depth=16, widen_factor=2),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=128,
        init_cfg=dict(
            type='Kaiming', layer='Linear', a=5**0.5, mode='fan_in', nonlinearity='leaky_relu', distribution='uniform', bias=0
        ),  # PyTorch's own initialisation, except for the bias
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
        topk=(1,),
    ),
)
