"""Training runs of mmengine that continue epoch by epoch, and bare PyTorch loops of the same networks."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner

import icckd_mm  # noqa: F401
from benchmarks.measure import Case
from icckd_mm.config.device_loader import use_device_loader
from icckd_mm.functional.tensor.crop_flip import crop_and_flip, pack_images

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
NUMBERS = itertools.count()
PIPELINE = [
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
TWO_VIEWS = [dict(type='MultiView', num_views=2, transforms=[PIPELINE[:2]]), PIPELINE[2]]


def noise(images: int, pipeline: list[dict]) -> dict:
    """A data set of the size of CIFAR-100."""
    return dict(type='icckd_mm.RandomImages', num_images=images, size=32, num_classes=100, pipeline=copy.deepcopy(pipeline))


def runner_case(
    config: Config | dict, folder: str | Path, batch: int, steps: int, device: str, channels_last: bool = False
) -> Case:
    """An epoch of mmengine's runner with all hooks of a config's run, after a warm-up epoch.

    Args:
        config (Config | dict): A complete config; its training data are loaded by ``DeviceLoader``.
        folder (str | Path): Work dir.
        batch (int): Images per step.
        steps (int): Steps per epoch.
        device (str): ``'cpu'`` or ``'cuda'``.
        channels_last (bool): Whether weights use this memory format, which convolutions follow. Defaults to False.

    Returns:
        Case: Continues the run by an epoch.
    """
    config = Config(dict(config))
    name = f'benchmark-{next(NUMBERS)}'
    dataset = config.train_dataloader['dataset']
    config.merge_from_dict(dict(work_dir=str(Path(folder) / name), experiment_name=name, log_level='ERROR'))
    config.train_dataloader = dict(batch_size=batch, drop_last=True, dataset=dataset)
    config.train_cfg = dict(type='icckd_mm.ExactTrainLoop', max_epochs=1)
    use_device_loader(config)
    config.default_hooks.checkpoint = dict(type='icckd_mm.ExactCheckpointHook', interval=10**6, save_last=False)
    for key in (
        'param_scheduler',
        'val_dataloader',
        'val_cfg',
        'val_evaluator',
        'test_dataloader',
        'test_cfg',
        'test_evaluator',
    ):
        config.pop(key, None)
    config.env_cfg = dict(cudnn_benchmark=True, dist_cfg=dict(backend='nccl'))
    if device == 'cpu' and torch.cuda.is_available():
        raise ValueError("a runner uses any visible GPU; give --device cuda, or CUDA_VISIBLE_DEVICES=''")
    runner = Runner.from_cfg(config)
    if channels_last:
        runner.model.to(memory_format=torch.channels_last)
    runner.train()
    assert len(runner.train_dataloader) == steps
    return Case(runner.train_loop.run_epoch, images=batch * steps, steps=steps)


def classifier_run(model: dict, images: int, hooks: list[dict], views: int) -> Config:
    """The config of a teacher's run on noise, with the base's hooks and schedule."""
    config = Config.fromfile(CONFIGS / '_base_/runtime.py')
    preprocessor = 'mmpretrain.ClsDataPreprocessor' if views == 1 else 'icckd_mm.TwoViewDataPreprocessor'
    config.merge_from_dict(
        dict(
            model=copy.deepcopy(model),
            data_preprocessor=dict(type=preprocessor, mean=[129.31, 124.11, 112.40], std=[68.21, 65.41, 70.41]),
            train_dataloader=dict(dataset=noise(images, PIPELINE if views == 1 else TWO_VIEWS)),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4)),
            custom_hooks=hooks,
        )
    )
    return config


def student_run(name: str, images: int) -> Config:
    """A distillation config of ``configs/icckd/distill`` with a random teacher; CIFAR-100 becomes noise."""
    config = Config.fromfile(CONFIGS / f'icckd/distill/{name}.py')
    config.model.update(teacher_ckpt=None, allow_random_teacher=True)
    if 'cifar100' in name:
        # the loader of the device makes two equal views; what a strong one costs is not counted
        views = TWO_VIEWS if 'TwoView' in config.data_preprocessor.type else PIPELINE
        config.train_dataloader = dict(dataset=noise(images, views))
    else:
        config.train_dataloader.dataset.indices = images
    return config


class BareLoop:
    """The same networks, batches, augmentation and optimizer in plain PyTorch; the loss is read at each step.

    Args:
        student (dict): Config of a classifier.
        teacher (dict, optional): Config of its teacher; with it the loss is 0.1 CE + 0.9 T^2 KL, T = 4, else CE.
        batch (int): Images per step.
        steps (int): Steps per epoch.
        size (int): Side of the images.
        device (str): ``'cpu'`` or ``'cuda'``.
        dtype (torch.dtype, optional): Autocast to it. Defaults to None, single precision.
        channels_last (bool): Whether weights use this memory format. Defaults to False.
    """

    def __init__(
        self,
        student: dict,
        teacher: dict | None,
        batch: int,
        steps: int,
        size: int,
        device: str,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
    ) -> None:
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            self.student = MODELS.build(copy.deepcopy(student)).to(device).train()
            self.teacher = teacher and MODELS.build(copy.deepcopy(teacher)).to(device).eval().requires_grad_(False)
        for model in filter(None, (self.student, self.teacher) if channels_last else ()):
            model.to(memory_format=torch.channels_last)
        self.batch, self.steps, self.size, self.device, self.dtype = batch, steps, size, device, dtype
        total = batch * steps
        self.packed = pack_images(torch.randint(256, (total, size, size, 3), dtype=torch.uint8), size // 8).to(device)
        self.labels = torch.randint(student['head']['num_classes'], (total,), device=device)
        self.mean, self.std = (torch.full((3, 1, 1), value, device=device) for value in (120.0, 68.0))
        self.optimizer = torch.optim.SGD(self.student.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)

    def case(self) -> Case:
        """An epoch."""
        return Case(self.epoch, images=self.batch * self.steps, steps=self.steps)

    def epoch(self) -> None:
        """One pass over the images."""
        for rows in torch.randperm(len(self.labels), device=self.device).split(self.batch):
            self.last = self.step(rows).item()

    def step(self, rows: torch.Tensor) -> torch.Tensor:
        """One update; returns the loss."""
        tops, lefts = (torch.randint(2 * (self.size // 8) + 1, (len(rows),), device=self.device) for _ in range(2))
        flips = torch.rand(len(rows), device=self.device) < 0.5
        window = crop_and_flip(self.packed, rows, tops, lefts, flips, (self.size, self.size))
        images = (window[..., :3].permute(0, 3, 1, 2).float() - self.mean) / self.std
        with torch.autocast(torch.device(self.device).type, self.dtype, enabled=self.dtype is not None):
            loss = self.loss(images, self.labels[rows])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def loss(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Batches of normalised images ``(B, 3, H, W)``."""
        logits = _logits(self.student, images)
        if self.teacher is None:
            return F.cross_entropy(logits, labels)
        with torch.no_grad():
            soft = F.softmax(_logits(self.teacher, images) / 4, dim=1)
        divergence = F.kl_div(F.log_softmax(logits / 4, dim=1), soft, reduction='batchmean')
        return 0.1 * F.cross_entropy(logits, labels) + 0.9 * 16 * divergence


def _logits(model: Any, images: torch.Tensor) -> torch.Tensor:
    return model.head.fc(model.neck(model.backbone(images)[-1]))
