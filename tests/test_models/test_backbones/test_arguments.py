"""Every constructor argument has an effect, and the message on a wrong one lists valid ones."""

import pytest
import torch
from mmpretrain.models import ResNet_CIFAR

from icckd_mm.models.backbones import CIFARVGG, CIFARMobileNetV2, CIFARResNet, CIFARWideResNet


def count(model, kind):
    return sum(isinstance(module, kind) for module in model.modules())


@pytest.mark.parametrize('depth', [8, 14, 20, 32, 44, 56, 110])
def test_resnet_depth_counts_its_layers(depth):
    with torch.device('meta'):
        model = CIFARResNet(depth)
    convs = [name for name, m in model.named_modules() if isinstance(m, torch.nn.Conv2d) and 'downsample' not in name]
    assert len(convs) == depth - 1  # the linear layer is in the head
    assert [len(getattr(model, f'layer{i}')) for i in (1, 2, 3)] == [(depth - 2) // 6] * 3


def test_resnet_widths_are_stem_and_stages(images):
    model = CIFARResNet(8, widths=[5, 6, 7, 8], out_indices=(0, 1, 2)).eval()
    assert model.conv1.out_channels == 5
    assert [out.shape[1] for out in model(images)] == [6, 7, 8]
    assert 'layer1.0.downsample.0.weight' in model.state_dict()  # 5 channels do not add to 6


def test_resnet50_is_mmpretrains(images):
    theirs, ours = ResNet_CIFAR(50), CIFARResNet(50).eval()
    theirs.eval()  # gives None
    ours.load_state_dict(theirs.state_dict(), strict=True)
    torch.testing.assert_close(ours(images)[0], theirs(images)[0])


@pytest.mark.parametrize('depth', [10, 16, 28, 40])
@pytest.mark.parametrize('factor', [1, 3])
def test_wide_resnet_takes_any_depth_and_width(depth, factor, images):
    model = CIFARWideResNet(depth, factor, out_indices=(0, 1, 2)).eval()
    convs = [name for name, m in model.named_modules() if isinstance(m, torch.nn.Conv2d) and 'downsample' not in name]
    assert len(convs) == depth - 3  # the name counts the three projections and leaves out the head
    assert [out.shape[1] for out in model(images[:1])] == [16 * factor, 32 * factor, 64 * factor]


def test_dropout_acts_in_training_only(images):
    model = CIFARWideResNet(10, dropout=0.5, norm_eval=True)
    assert count(model, torch.nn.Dropout) == 3
    assert not torch.equal(model.train()(images)[0], model(images)[0])
    without = CIFARWideResNet(10)
    without.load_state_dict(model.state_dict())
    torch.testing.assert_close(model.eval()(images)[0], without.eval()(images)[0], rtol=0, atol=0)
    assert count(without, torch.nn.Dropout) == 0


def test_wide_resnet_returns_sums_and_closes_the_last(images):
    first, last = CIFARWideResNet(16, out_indices=(0, 2)).eval()(images)
    assert first.min() < 0
    assert last.min() == 0


def test_vgg_pools(images):
    for pools, size in ((0, 32), (2, 8), (3, 4), (4, 2)):
        assert CIFARVGG(8, pools=pools)(images[:1])[0].shape == (1, 512, size, size)


@pytest.mark.parametrize('depth', [8, 11, 13, 16, 19])
def test_vgg_depth_counts_its_layers(depth):
    with torch.device('meta'):
        # Three linear layers are counted, as in the original, where one is left.
        assert count(CIFARVGG(depth), torch.nn.Conv2d) == depth - 3


def test_mobilenet_widen_factor(images):
    outs = CIFARMobileNetV2(1.5, out_indices=(0, 7)).eval()(images[:1])
    assert [out.shape[1] for out in outs] == [24, 1920]
    assert CIFARMobileNetV2(0.25).eval()(images[:1])[0].shape[1] == 1280  # the last layer does not shrink


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: CIFARResNet(18), r'depth=18 must be one of \[8, 14, 20, 32, 44, 50, 56, 110\]'),
        (lambda: CIFARResNet('20'), "depth='20' must be one of"),
        (lambda: CIFARResNet(20, widths=(16, 32, 64)), r'widths=.* must be 4 positive integers'),
        (lambda: CIFARResNet(20, widths=(16, 16, 0, 64)), r'widths=.* such as \(16, 16, 32, 64\)'),
        (lambda: CIFARResNet(50, widths=(16, 16, 32, 64)), r'must be 5 positive integers at depth 50'),
        (lambda: CIFARWideResNet(18), r'depth=18 must be 6 n \+ 4: 10, 16, 22'),
        (lambda: CIFARWideResNet(4), r'depth=4 must be'),
        (lambda: CIFARWideResNet(16, 0), r'widen_factor=0 must be a positive integer'),
        (lambda: CIFARWideResNet(16, 1.5), r'widen_factor=1.5 must be'),
        (lambda: CIFARWideResNet(16, dropout=1.0), r'dropout=1.0 must be a probability'),
        (lambda: CIFARVGG(9), r'depth=9 must be one of \[8, 11, 13, 16, 19\]'),
        (lambda: CIFARVGG(8, pools=5), r'pools=5 must lie between 0 and 4'),
        (lambda: CIFARMobileNetV2(0.01), r'widen_factor=0.01 must be at least 1/16'),
    ],
)
def test_wrong_arguments_name_the_right_ones(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_init_cfg(case):
    model = case.build()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.init_weights()
    if case.type.startswith('CIFARShuffle'):  # the benchmark leaves PyTorch's start there
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        return
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.numel() > 4000:
            fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)
        if isinstance(module, torch.nn.Conv2d) and module.bias is not None:
            assert not module.bias.any()
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.weight.eq(1).all()
            assert not module.bias.any()
    plain = case.build(init_cfg=None)
    plain.init_weights()
    assert all(torch.equal(value, before[name]) for name, value in plain.state_dict().items())
