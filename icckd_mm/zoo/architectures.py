"""Networks of mdistiller, RepDistiller and torchvision by their names there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from . import key_maps
from .key_maps import KeyMap

SOURCES = {'mdistiller': 'benchmark', 'repdistiller': 'benchmark', 'torchvision': 'torchvision'}
"""Sources of checkpoints and the family whose names and layouts each uses; mdistiller copied those of RepDistiller."""

NORMAL = {'type': 'Normal', 'layer': 'Linear', 'std': 0.01}
# PyTorch's own initialisation of a linear layer, except for the bias.
ZERO_BIAS = {
    'type': 'Kaiming',
    'layer': 'Linear',
    'a': 5**0.5,
    'mode': 'fan_in',
    'nonlinearity': 'leaky_relu',
    'distribution': 'uniform',
    'bias': 0,
}


@dataclass(frozen=True)
class Architecture:
    """A network and its names at its source.

    Attributes:
        name: Its name there.
        family: ``'benchmark'`` or ``'torchvision'``.
        backbone: Its config here, with the scope in its type.
        key_map: Maps a file's keys to the backbone's.
        classifier: Name of the last layer in a file.
        features: Inputs of the last layer; None if it is part of the backbone.
        head_init: Initialisation of the last layer; None: PyTorch's own.
    """

    name: str
    family: str
    backbone: dict[str, Any]
    key_map: KeyMap = key_maps.same
    classifier: str = 'fc'
    features: int | None = None
    head_init: dict[str, Any] | None = None

    def rename(self, key: str) -> str:
        """The key of an mmpretrain classifier for a key of a file."""
        if self.features and key.startswith(f'{self.classifier}.'):
            return f'head.fc{key[len(self.classifier) :]}'
        return f'backbone.{self.key_map(key)}'

    def config(self, num_classes: int) -> dict[str, Any]:
        """The mmpretrain classifier."""
        model: dict[str, Any] = {'_scope_': 'mmpretrain', 'type': 'ImageClassifier', 'backbone': deepcopy(self.backbone)}
        if self.features is None:
            model['backbone']['num_classes'] = num_classes
            return dict(**model, head={'type': 'ClsHead'})
        head = {
            'type': 'LinearClsHead',
            'num_classes': num_classes,
            'in_channels': self.features,
            'init_cfg': deepcopy(self.head_init),
        }
        return dict(**model, neck={'type': 'GlobalAveragePooling'}, head=head)


def _benchmark() -> Iterator[Architecture]:
    for depth in (8, 14, 20, 32, 44, 56, 110):
        yield Architecture(f'resnet{depth}', 'benchmark', {'type': 'icckd_mm.CIFARResNet', 'depth': depth}, features=64)
    for depth in (8, 32):
        x4 = {'type': 'icckd_mm.CIFARResNet', 'depth': depth, 'widths': [32, 64, 128, 256]}
        yield Architecture(f'resnet{depth}x4', 'benchmark', x4, features=256)
    resnet50 = {'type': 'icckd_mm.CIFARResNet', 'depth': 50}
    yield Architecture('ResNet50', 'benchmark', resnet50, key_maps.cifar_resnet50, 'linear', 2048)
    for depth, factor in ((16, 1), (16, 2), (40, 1), (40, 2)):
        wrn = {'type': 'icckd_mm.CIFARWideResNet', 'depth': depth, 'widen_factor': factor}
        yield Architecture(
            f'wrn_{depth}_{factor}', 'benchmark', wrn, key_maps.cifar_wide_resnet, features=64 * factor, head_init=ZERO_BIAS
        )
    for depth in (8, 11, 13, 16, 19):
        vgg = {'type': 'icckd_mm.CIFARVGG', 'depth': depth}
        yield Architecture(f'vgg{depth}', 'benchmark', vgg, key_maps.cifar_vgg, 'classifier', 512, NORMAL)
    mobile = {'type': 'icckd_mm.CIFARMobileNetV2'}
    yield Architecture('MobileNetV2', 'benchmark', mobile, key_maps.cifar_mobilenet_v2, 'classifier.0', 1280, NORMAL)
    yield Architecture('ShuffleV1', 'benchmark', {'type': 'icckd_mm.CIFARShuffleNetV1'}, classifier='linear', features=960)
    shuffle = {'type': 'icckd_mm.CIFARShuffleNetV2'}
    yield Architecture('ShuffleV2', 'benchmark', shuffle, key_maps.cifar_shufflenet_v2, 'linear', 1024)


def _torchvision() -> Iterator[Architecture]:
    for depth in (18, 34, 50, 101, 152):
        resnet = {'type': 'mmpretrain.ResNet', 'depth': depth}
        features = 512 if depth < 50 else 2048
        yield Architecture(f'resnet{depth}', 'torchvision', resnet, features=features, head_init=NORMAL)
    for depth, convs in {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}.items():
        vgg = {'type': 'mmpretrain.VGG', 'depth': depth}
        yield Architecture(f'vgg{depth}', 'torchvision', vgg, key_maps.torchvision_vgg(convs, False), 'classifier.6')
        vgg = dict(**vgg, norm_cfg={'type': 'BN'})
        yield Architecture(f'vgg{depth}_bn', 'torchvision', vgg, key_maps.torchvision_vgg(convs, True), 'classifier.6')
    mobile = {'type': 'mmpretrain.MobileNetV2'}
    yield Architecture(
        'mobilenet_v2', 'torchvision', mobile, key_maps.torchvision_mobilenet_v2(), 'classifier.1', 1280, head_init=NORMAL
    )


ARCHITECTURES = (*_benchmark(), *_torchvision())


def find_architecture(arch: str, source: str = 'auto', keys: Collection[str] = ()) -> Architecture:
    """Find a network by name; of two with that name, the one whose last layer is in ``keys``, else the benchmark's.

    Args:
        arch: A name of mdistiller and RepDistiller or of torchvision, in any case.
        source: ``'mdistiller'``, ``'repdistiller'``, ``'torchvision'`` or ``'auto'``, which searches all.
            Defaults to 'auto'.
        keys: Keys of a file. Defaults to none.

    Returns:
        The network.

    Raises:
        ValueError: If there is no such source, or no such network there.
    """
    if source != 'auto' and source not in SOURCES:
        raise ValueError(f'source={source!r} must be one of auto, {", ".join(SOURCES)}')
    known = [one for one in ARCHITECTURES if source == 'auto' or one.family == SOURCES[source]]
    found = [one for one in known if one.name.lower() == arch.lower()]
    if not found:
        names = ', '.join(dict.fromkeys(one.name for one in known))
        raise ValueError(f'arch={arch!r} must be one of {names}')
    return next((one for one in found if f'{one.classifier}.weight' in keys), found[0])


def classifier_config(arch: str, num_classes: int, source: str = 'auto') -> dict[str, Any]:
    """The mmpretrain config of a network that mdistiller, RepDistiller or torchvision knows by a name.

    The last layer of the benchmark's networks is initialised as there, not as in mmpretrain's heads.

    Args:
        arch: A name of mdistiller and RepDistiller (``'resnet8x4'``, ``'wrn_40_2'``, ``'vgg8'``, ``'ShuffleV1'``, ...) or
            of torchvision (``'resnet18'``, ``'vgg13_bn'``, ``'mobilenet_v2'``, ...), in any case.
        num_classes: Number of classes.
        source: Which one to use where several have the name (``resnet50``, ``vgg11`` to ``vgg19``): ``'mdistiller'``,
            ``'repdistiller'`` or ``'torchvision'``. Defaults to 'auto', the benchmark's.

    Returns:
        An ``ImageClassifier`` of plain dicts and lists, to be built from any scope.

    Raises:
        ValueError: If there is no such network or source, or ``num_classes`` is below 1.

    Example:
        >>> classifier_config('wrn_40_2', 100)['backbone']
        {'type': 'icckd_mm.CIFARWideResNet', 'depth': 40, 'widen_factor': 2}
    """
    if num_classes < 1:
        raise ValueError(f'num_classes={num_classes!r} must be positive')
    return find_architecture(arch, source).config(num_classes)
