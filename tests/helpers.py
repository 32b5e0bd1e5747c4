"""Small real runs of mmengine on the digits."""

import copy
import itertools

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

import icckd_mm  # noqa: F401

RUNS = itertools.count()
NORM = dict(mean=[78, 78, 78], std=[82, 82, 82])
HEAD = dict(num_classes=10, loss=dict(type='CrossEntropyLoss'), cal_acc=True)
RESNET = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet_CIFAR', depth=18, num_stages=4, stem_channels=4, base_channels=4, style='pytorch'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=32, **HEAD),
)
CONV = dict(
    type='ImageClassifier',
    backbone=dict(type='icckd_mm.CIFARResNet', depth=8, widths=(4, 4, 8, 8)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=8, **HEAD),
)
ICC = dict(
    type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', margin=-1.0, queue_size=4)
)


class Outputs(Hook):
    """Stores the result of each training step."""

    def __init__(self):
        self.steps = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.steps.append({name: float(torch.as_tensor(value).detach()) for name, value in outputs.items()})


def pipeline(views, scale):
    crop = dict(type='RandomCrop', crop_size=scale, padding=scale // 8)
    augment = [dict(type='MultiView', num_views=2, transforms=[[crop]])] if views == 2 else [crop]
    return [*augment, dict(type='PackInputs')]


def config(work_dir, model=CONV, *, hooks=(ICC,), epochs=1, batch=8, images=32, views=2, scale=8, validate=False, **options):
    """A complete config; ``options`` replace top-level keys."""
    loader = dict(
        batch_size=batch,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='icckd_mm.Digits', scale=scale, indices=images, pipeline=pipeline(views, scale)),
    )
    val_loader = copy.deepcopy(loader)
    val_loader['sampler']['shuffle'] = False
    val_loader['dataset'].update(split='test', pipeline=[dict(type='PackInputs')])
    model = copy.deepcopy(dict(model))
    model.setdefault(
        'data_preprocessor', dict(type='icckd_mm.TwoViewDataPreprocessor' if views == 2 else 'ClsDataPreprocessor', **NORM)
    )
    cfg = dict(
        model=model,
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
        custom_hooks=list(hooks),
        default_scope='mmpretrain',
        default_hooks=dict(
            checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1), logger=dict(type='LoggerHook', interval=2)
        ),
        randomness=dict(seed=0),
        log_level='WARNING',
        visualizer=dict(type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')]),
    )
    if validate:
        cfg.update(val_dataloader=val_loader, val_cfg=dict(), val_evaluator=dict(type='Accuracy'))
        cfg.update(test_dataloader=val_loader, test_cfg=dict(), test_evaluator=dict(type='Accuracy'))
    cfg.update(options)
    return Config(cfg)


def build(work_dir, *args, hooks=(ICC,), **options):
    """A runner of :func:`config`; each needs a unique name, since mmengine keeps them all."""
    cfg = config(work_dir, *args, hooks=[hook for hook in hooks if isinstance(hook, dict)], **options)
    cfg.experiment_name = f'test-{next(RUNS)}'
    runner = Runner.from_cfg(cfg)
    for hook in hooks:
        if not isinstance(hook, dict):  # an object has no place in a config file
            runner.register_hook(hook)
    return runner


def train(work_dir, *args, hooks=(ICC,), **options):
    """Train, and return the runner and the results of its steps."""
    outputs = Outputs()
    runner = build(work_dir, *args, hooks=[*hooks, outputs], **options)
    runner.train()
    return runner, outputs.steps


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
