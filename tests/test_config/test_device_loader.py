import pytest
from mmengine.config import Config

from icckd_mm.config.device_loader import use_device_loader


def student():
    return Config.fromfile('configs/icckd/distill/kd_logits_resnet32x4_resnet8x4_1xb64_cifar100.py')


def test_what_is_about_workers_goes_and_the_rest_stays():
    cfg, before = student(), student().train_dataloader
    use_device_loader(cfg)
    assert set(cfg.train_dataloader) == {'type', 'dataset', 'batch_size', 'sampler'}
    assert {name: before[name] for name in ('dataset', 'batch_size', 'sampler')} == {
        name: cfg.train_dataloader[name] for name in ('dataset', 'batch_size', 'sampler')
    }


def test_the_normalisation_stays():
    cfg, before = student(), student().data_preprocessor
    use_device_loader(cfg)
    assert cfg.data_preprocessor == {**before, 'type': 'icckd_mm.TwoViewDataPreprocessor'}


def test_another_loop_is_refused():
    cfg = student()
    cfg.train_cfg = dict(by_epoch=True, max_epochs=2)
    with pytest.raises(ValueError, match=r"needs train_cfg=dict\(type='icckd_mm.ExactTrainLoop'.*got {'by_epoch': True"):
        use_device_loader(cfg)
