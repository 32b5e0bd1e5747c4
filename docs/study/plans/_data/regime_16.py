"""A regime for CPUs in which distillation should help: images of 16x16, small networks, 40 epochs, warm-up and cosine.

Teachers compute in bfloat16, as trained ones and as those of students: nearly twice as fast on a CPU with its instructions.
Students are too narrow to gain from it and stay in float32.
"""

_crop = [
    dict(type='RandomCrop', crop_size=16, padding=2),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]
_load = dict(type='LoadImageFromFile')
_pack = dict(type='PackInputs')
_one_view = [_load, *_crop, _pack]
_two_views = [_load, dict(type='MultiView', num_views=2, transforms=[_crop]), _pack]

_iterations = dict(by_epoch=True, convert_to_iter_based=True)
_one_cycle = [  # mmengine's own has functions in its state, which a safe checkpoint refuses
    dict(type='LinearLR', start_factor=0.04, begin=0, end=4, **_iterations),
    dict(type='CosineAnnealingLR', T_max=36, begin=4, end=40, **_iterations),
]

_half_teacher = {'model.teacher_dtype': 'bfloat16'}  # for each distiller of a plan

networks = dict(
    teacher={'backbone.depth': 8, 'backbone.widths': (32, 32, 64, 128), 'head.in_channels': 128},
    student={'backbone.depth': 8, 'backbone.widths': (8, 8, 16, 32), 'head.in_channels': 32},
)
device_loader = True
options = dict(
    all={
        'train_dataloader.dataset.pipeline': _one_view,
        'train_dataloader.batch_size': 128,
        'train_cfg.max_epochs': 40,
        'train_cfg.val_interval': 40,
        'optim_wrapper.optimizer.lr': 0.1,
        'param_scheduler': _one_cycle,
        'default_hooks.checkpoint.interval': 5,
        'default_hooks.checkpoint.save_best': None,
        'val_dataloader.num_workers': 0,
        'val_dataloader.persistent_workers': False,
        'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False,
    },
    teacher={'optim_wrapper.type': 'icckd_mm.Bfloat16OptimWrapper'},
    **{teacher: {'train_dataloader.dataset.pipeline': _two_views} for teacher in ('ce-2view', 'icc')},
)
