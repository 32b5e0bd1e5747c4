"""Maps names of tensors in mdistiller, RepDistiller and torchvision to ours and mmpretrain's.

A key map turns a file's key into that of a backbone. It returns an unknown key unchanged; the comparison with the network
then reports it as surplus.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

KeyMap = Callable[[str], str]


def same(key: str) -> str:
    """The file has our names already: torchvision's ResNets, the benchmark's ResNets, ResNet-50 aside, and ShuffleNetV1."""
    return key


def cifar_resnet50(key: str) -> str:
    """``layer1.0.shortcut.0.weight`` -> ``layer1.0.downsample.0.weight``."""
    return key.replace('.shortcut.', '.downsample.')


def cifar_wide_resnet(key: str) -> str:
    """``block2.layer.0.convShortcut.weight`` -> ``layer2.0.downsample.weight``."""
    return re.sub(r'^block(\d)\.layer\.', r'layer\1.', key).replace('.convShortcut.', '.downsample.')


def cifar_vgg(key: str) -> str:
    """``block2.4.weight`` -> ``layer3.bn2.weight``: convolution, batch norm and ReLU alternate in the file."""
    match = re.fullmatch(r'block(\d)\.(\d+)\.(\w+)', key)
    if not match:
        return key
    number, kind = divmod(int(match[2]), 3)
    return f'layer{int(match[1]) + 1}.{("conv", "bn", "relu")[kind]}{number + 1}.{match[3]}'


def cifar_mobilenet_v2(key: str) -> str:
    """``blocks.1.0.conv.3.weight`` -> ``layer2.0.conv2.weight``, ``conv1.1.bias`` -> ``conv1.bn.bias``."""
    match = re.fullmatch(r'blocks\.(\d)\.(\d)\.conv\.(\d)\.(\w+)', key)
    if match:
        number, kind = divmod(int(match[3]), 3)
        return f'layer{int(match[1]) + 1}.{match[2]}.{("conv", "bn", "relu")[kind]}{number + 1}.{match[4]}'
    return re.sub(r'^(conv[12])\.([01])\.', lambda found: f'{found[1]}.{("conv", "bn")[int(found[2])]}.', key)


DOWN_UNIT = {
    **{'conv1': 'left.0', 'bn1': 'left.1', 'conv2': 'left.2', 'bn2': 'left.3'},
    **{'conv3': 'right.0', 'bn3': 'right.1', 'conv4': 'right.3', 'bn4': 'right.4', 'conv5': 'right.5', 'bn5': 'right.6'},
}


def cifar_shufflenet_v2(key: str) -> str:
    """``layer1.0.conv3.weight`` -> ``layer1.0.right.0.weight``, ``bn2.bias`` -> ``conv2.bn.bias``."""
    match = re.fullmatch(r'(layer\d\.0)\.(\w+)\.(\w+)', key)
    if match and match[2] in DOWN_UNIT:
        return f'{match[1]}.{DOWN_UNIT[match[2]]}.{match[3]}'
    return re.sub(r'^(conv|bn)2\.', r'conv2.\1.', key)


def from_table(table: Mapping[str, str]) -> KeyMap:
    """A key map that looks up the module, the key without its last part."""

    def key_map(key: str) -> str:
        module, _, tensor = key.rpartition('.')
        return f'{table.get(module, module)}.{tensor}'

    return key_map


def torchvision_vgg(convs: tuple[int, ...], batch_norm: bool) -> KeyMap:
    """``features.3.weight`` -> ``features.2.conv.weight``: mmpretrain counts convolution, batch norm and ReLU as one.

    Args:
        convs: Convolutions between the poolings.
        batch_norm: Whether the network has batch norm.
    """
    kinds = ('conv', 'bn', 'relu') if batch_norm else ('conv', 'relu')
    theirs = ours = 0
    table = {}
    for count in convs:
        for _ in range(count):
            table.update({f'features.{theirs + index}': f'features.{ours}.{kind}' for index, kind in enumerate(kinds)})
            theirs += len(kinds)
            ours += 1
        theirs += 1  # the pooling
        ours += 1
    return from_table(table)


def torchvision_mobilenet_v2() -> KeyMap:
    """``features.2.conv.0.1.bias`` -> ``layer2.0.conv.0.bn.bias``: mmpretrain groups the blocks by their width."""
    table = {
        'features.0.0': 'conv1.conv',
        'features.0.1': 'conv1.bn',
        'features.18.0': 'conv2.conv',
        'features.18.1': 'conv2.bn',
    }
    theirs = 1
    for layer, blocks in enumerate((1, 2, 3, 4, 3, 3, 1), start=1):
        for block in range(blocks):
            last = 1 if layer == 1 else 2  # the first block does not expand its channels
            for index in range(last):
                table[f'features.{theirs}.conv.{index}.0'] = f'layer{layer}.{block}.conv.{index}.conv'
                table[f'features.{theirs}.conv.{index}.1'] = f'layer{layer}.{block}.conv.{index}.bn'
            table[f'features.{theirs}.conv.{last}'] = f'layer{layer}.{block}.conv.{last}.conv'
            table[f'features.{theirs}.conv.{last + 1}'] = f'layer{layer}.{block}.conv.{last}.bn'
            theirs += 1
    return from_table(table)
