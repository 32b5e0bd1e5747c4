"""Length, batch and learning rate of a training, by the size of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from icckd_mm.config.fast import shrunk_schedule
from icckd_mm.packaged import named_config

MANY, FEW = 100_000, 2_000  # training images
KINDS = ('multistep', 'cosine')
LOW_RATE = ('mobilenet', 'shufflenet')  # the benchmark's networks with 0.01 instead of 0.05
FINETUNED_SHARE = 12  # a fine-tuning has 20 of 240 epochs


@dataclass(frozen=True)
class Schedule:
    """How long and how fast networks are trained.

    Attributes:
        base: Config of this package that holds it.
        epochs: Number of epochs.
        batch: Images per step.
        lr: Learning rate for SGD of most networks.
        given_lr: Whether the user named it; then it holds for all networks.
        kind: ``'multistep'`` or ``'cosine'``.
    """

    base: str
    epochs: int
    batch: int
    lr: float
    given_lr: bool
    kind: str

    def settings(self, epochs: int | None = None, kind: str | None = None) -> dict[str, Any]:
        """What differs from the base, for all of its epochs or for a shorter training."""
        epochs, kind = epochs or self.epochs, kind or self.kind
        base = Config.fromfile(named_config(self.base))
        scheduler = shrunk_schedule(base.param_scheduler.to_dict(), epochs / base.train_cfg.max_epochs)
        if kind == 'cosine':
            scheduler = dict(_delete_=True, type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True, T_max=epochs)
        return dict(param_scheduler=scheduler, train_cfg=dict(max_epochs=epochs))

    @property
    def finetuned_epochs(self) -> int:
        """Epochs of a fine-tuning."""
        return max(1, round(self.epochs / FINETUNED_SHARE))

    def optimizer(self, name: str, network: nn.Module) -> dict[str, Any]:
        """What a network needs in ``optim_wrapper``: a transformer AdamW, the benchmark's small networks a lower rate.

        Args:
            name: Its name.
            network: The network.

        Returns:
            The values to merge; those of other networks are the rate alone.
        """
        modules = list(network.modules())
        norms = any(isinstance(module, _BatchNorm) for module in modules)
        if not norms and any('LayerNorm' in type(module).__name__ for module in modules):
            rate = self.lr if self.given_lr else 5e-4 * self.batch / 128
            adamw = dict(_delete_=True, type='AdamW', lr=rate, weight_decay=0.05)
            return dict(optimizer=adamw, clip_grad=dict(max_norm=5.0))
        low = not self.given_lr and any(word in name for word in LOW_RATE)
        return dict(optimizer=dict(lr=self.lr / 5 if low else self.lr))


def choose_schedule(
    base: str | None, train_images: int, epochs: int | None, batch: int | None, lr: float | None, kind: str | None
) -> Schedule:
    """A schedule, from what the user names and the number of images.

    Args:
        base: The published one of a known data set; None for one's own images.
        train_images: Number of training images.
        epochs: Number of epochs; None: those of the base; of one's own images 240, from 100,000 images on 100.
        batch: Batch; None: that of the benchmark; of one's own images 32 below 2,000 images, 256 from 100,000 on.
        lr: Learning rate; None: the published one, scaled with the batch.
        kind: ``'multistep'`` or ``'cosine'``; None: that of the base.

    Returns:
        The schedule.

    Raises:
        ValueError: If a value is out of range.
    """
    for name, value in (('epochs', epochs), ('batch', batch)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f'{name} must be a whole number from 1, got {value!r}')
    if batch == 1:
        raise ValueError('batch must be at least 2: batch norm needs two images')
    if lr is not None and not 0 < lr < 100:
        raise ValueError(f'lr must be above 0 and below 100, got {lr!r}; 0.05 is common at a batch of 64')
    if kind not in (None, *KINDS):
        raise ValueError(f'schedule must be one of {", ".join(KINDS)}, got {kind!r}')
    if batch is not None and batch > train_images:
        raise ValueError(f'batch must be at most the {train_images} training images, got {batch}')
    own = base is None
    base = base or f'icckd_mm::_base_/schedules/{"in1k_100e" if train_images >= MANY else "cifar_240e"}.py'
    cfg = Config.fromfile(named_config(base))
    usual = cfg.auto_scale_lr.base_batch_size
    if batch is None:
        batch = min(32, train_images) if own and train_images < FEW else usual
    scaled = cfg.optim_wrapper.optimizer.lr * batch / usual
    cosine = cfg.param_scheduler.type == 'CosineAnnealingLR'
    kind = kind or ('cosine' if cosine else 'multistep')
    if kind == 'multistep' and cosine:
        raise ValueError(f'the schedule of this data set, {base}, is a cosine; leave out --schedule')
    return Schedule(base, epochs or cfg.train_cfg.max_epochs, batch, lr or scaled, lr is not None, kind)
