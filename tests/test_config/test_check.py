"""Typing mistakes are found, and configs that mmengine can build are accepted."""

from importlib.resources import files
from pathlib import Path

import pytest
from mmengine.config import Config
from torch import nn, optim

from icckd_mm.config.check import check_config
from icckd_mm.config.types import find_types, near_types
from tests.helpers import CONV, config

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted((ROOT / 'configs/icckd').glob('*/*.py'))
STOCK = [
    'resnet/resnet50_8xb32_in1k',
    'resnet/resnet50_8xb32-mixup_in1k',
    'resnet/resnet50_8xb256-rsb-a1-600e_in1k',
    'vgg/vgg16bn_8xb32_in1k',
    'mocov2/mocov2_resnet50_8xb32-coslr-200e_in1k',
    'swin_transformer/swin-tiny_16xb64_in1k',
    'resnest/resnest50_32xb64_in1k',
    'mae/mae_vit-base-p16_8xb512-amp-coslr-300e_in1k',
    'mae/benchmarks/vit-base-p16_8xb128-coslr-100e_in1k',
    'convnext/convnext-tiny_32xb128_in1k',
    'csra/resnet101-csra_1xb16_voc07-448px',
    'twins/twins-svt-small_8xb128_in1k',
    'vision_transformer/vit-base-p16_8xb64-lora_in1k-384px',
    'mobilenet_v3/mobilenet-v3-small_8xb128_in1k',
    'tinyvit/tinyvit-5m-distill_8xb256_in1k',
    'clip/clip_vit-base-p16_zeroshot-cls_cifar100',
    'swav/swav_resnet50_8xb32-mcrop-coslr-200e_in1k-224px-96px',
]


# one config of each folder, method and data set
KINDS = {(path.parent.name, path.stem.split('_')[0], path.stem.split('_')[-1]): path for path in OURS}


def test_our_configs_pass():
    """No false alarm is more important than a mistake found."""
    assert len(KINDS) > 100
    for path in KINDS.values():
        check_config(Config.fromfile(path))


@pytest.mark.slow
def test_all_our_configs_pass():
    for path in OURS:
        check_config(Config.fromfile(path))


@pytest.mark.parametrize('name', STOCK)
def test_stock_configs_pass(name):
    check_config(Config.fromfile(Path(str(files('mmpretrain'))) / f'.mim/configs/{name}.py'))


def digits(**options):
    return config('work_dirs/none', **options)


LEGAL = {
    'a class as type': dict(optim_wrapper=dict(optimizer=dict(type=optim.SGD, lr=0.1, nesterov=True, momentum=0.9))),
    'a layer as type': dict(model={**CONV, 'neck': dict(type=nn.Identity)}),
    'a path as type': dict(val_cfg=dict(type='mmengine.runner.ValLoop')),
    'keys that builders take out': dict(
        param_scheduler=[dict(type='LinearLR', start_factor=0.1, by_epoch=True, end=2, convert_to_iter_based=True)],
        custom_hooks=[dict(type='EMAHook', momentum=0.1, priority='LOW')],
        model={**CONV, 'init_cfg': dict(type='Kaiming', layer='Conv2d', override=dict(type='Normal', name='head', std=0.1))},
    ),
    'a loop by iterations': dict(train_cfg=dict(by_epoch=False, max_iters=5)),
    'half precision': dict(optim_wrapper=dict(type='AmpOptimWrapper', dtype='float16', optimizer=dict(type='Adam'))),
    'many metrics': dict(val_evaluator=[dict(type='Accuracy', topk=(1, 5)), dict(type='SingleLabelMetric', prefix='x')]),
    'another scope inside': dict(custom_hooks=[dict(type='CheckpointHook', _scope_='mmengine', interval=2)]),
    'a stale variable': dict(old_optimizer=dict(type='Nothing', rate=3)),
    'a dict that is built by nobody': dict(custom_hooks=[dict(type='EMAHook', spec=dict(type='linear', to=5))]),
    'no default hook': dict(default_hooks=dict(timer=None)),
}


@pytest.mark.parametrize('name', LEGAL)
def test_legal_configs_pass(name):
    check_config(digits(**LEGAL[name]))


BAD = {
    'in a list': (
        dict(num_veiws=2),
        r'pipeline.0.num_veiws: MultiView .* did you mean num_views\?',
    ),
    'nothing to guess': (dict(transfroms=[]), r'did you mean transforms\? It takes num_views, transforms'),  # codespell:ignore
}


@pytest.mark.parametrize('name', BAD)
def test_the_message_names_place_type_and_what_is_near(name):
    extra, says = BAD[name]
    cfg = digits()
    cfg.train_dataloader.dataset.pipeline[0].update(extra)
    with pytest.raises(ValueError, match=says):
        check_config(cfg)


def test_arguments_are_followed_through_the_parents():
    """Digits takes ``indices`` only from mmengine's BaseDataset; where a hook stores the rest, only what is near is refused."""
    cfg = digits()
    cfg.train_dataloader.dataset.indicse = 3
    with pytest.raises(ValueError, match=r'dataset.indicse: Digits has no argument indicse; did you mean indices\?'):
        check_config(cfg)
    cfg = digits(custom_hooks=[dict(type='EMAHook', something_for_the_average=1)])
    check_config(cfg)


def test_nothing_is_built(monkeypatch):
    """Not one constructor of torch's modules is called."""
    monkeypatch.setattr(nn.Module, '__init__', lambda *_, **__: pytest.fail('a module was built'))
    check_config(Config.fromfile(ROOT / 'configs/icckd/distill/icckd-kd_logits_resnet20_resnet8_1xb64_digits.py'))


def test_types_resolve_as_mmengine_builds_them():
    from icckd_mm.models import CIFARResNet

    assert find_types('icckd_mm.CIFARResNet', 'mmpretrain') == [CIFARResNet]
    assert find_types('CIFARResNet', 'mmpretrain') == []
    assert find_types(CIFARResNet, 'mmpretrain') == [CIFARResNet]
    assert find_types('torch.nn.Identity', 'mmpretrain') == [nn.Identity]
    assert [one.__module__ for one in find_types('EMAHook', 'mmpretrain')] == ['mmpretrain.engine.hooks.ema_hook']
    assert [one.__module__ for one in find_types('EMAHook', 'mmengine')] == ['mmengine.hooks.ema_hook']
    assert [one.__name__ for one in find_types('ModuleOutputs', 'mmrazor')] == [
        'ModuleOutputsRecorder',
        'ModuleOutputsDelivery',
    ][:1]
    assert find_types('math', 'mmpretrain') == find_types(3, 'mmpretrain') == []


def test_near_types_are_written_as_the_scope_needs_them():
    assert near_types('ResNet_CIFR', 'mmpretrain')[0] == 'ResNet_CIFAR'
    assert near_types('ResNet_CIFR', 'icckd_mm')[0] == 'mmpretrain.ResNet_CIFAR'
    assert near_types('mmpretrain.ResNet_CIFR', 'mmrazor')[0] == 'mmpretrain.ResNet_CIFAR'
    assert near_types('qqqqqqqq', 'mmpretrain') == []
