"""Changes a config to keep its training images on the training device."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config, ConfigDict

KEPT = ('dataset', 'batch_size', 'sampler', 'drop_last')  # the other options are about worker processes


def use_device_loader(cfg: Config) -> None:
    """Use :class:`icckd_mm.DeviceLoader` instead of torch's loader for training.

    Args:
        cfg: A complete config; changed in place.

    Raises:
        ValueError: If the training loop is not :class:`icckd_mm.ExactTrainLoop`, which supports the loader.
    """
    if cfg.train_cfg.get('type') != 'icckd_mm.ExactTrainLoop':
        raise ValueError(
            f"a DeviceLoader needs train_cfg=dict(type='icckd_mm.ExactTrainLoop', max_epochs=...), got {dict(cfg.train_cfg)}"
        )
    loader = cfg.train_dataloader
    cfg.train_dataloader = ConfigDict(type='icckd_mm.DeviceLoader', **{name: loader[name] for name in KEPT if name in loader})
    for owner in (cfg, cfg.model):
        preprocessor: Any = owner.get('data_preprocessor') or {}
        if preprocessor.get('type', '').endswith('ClsDataPreprocessor') and not preprocessor.get('to_onehot'):
            preprocessor.type = 'icckd_mm.TwoViewDataPreprocessor'  # the same, but prepared labels are not copied again
