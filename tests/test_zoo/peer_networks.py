"""Plain transcription of the networks of mdistiller and RepDistiller: their structure and the names in their checkpoints.

It is what the importer and the benchmark of speed are measured by, and is therefore written from the published networks alone,
without a look at ours.
"""

import torch
import torch.nn.functional as F
from torch import nn


def conv_bn(inputs, outputs, kernel=1, stride=1, groups=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


def pooled(x):
    return F.adaptive_avg_pool2d(x, 1).flatten(1)


class Residual(nn.Module):
    """``convs`` are (inputs, outputs, kernel, stride); ``shortcut`` is how the file calls the projection."""

    def __init__(self, convs, shortcut):
        super().__init__()
        self.count, self.projection = len(convs), shortcut
        for i, conv in enumerate(convs, start=1):
            self.add_module(f'conv{i}', conv_bn(*conv)[0])
            self.add_module(f'bn{i}', nn.BatchNorm2d(conv[1]))
        inputs, outputs = convs[0][0], convs[-1][1]
        stride = max(conv[3] for conv in convs)
        needed = stride > 1 or inputs != outputs
        self.add_module(shortcut, nn.Sequential(*(conv_bn(inputs, outputs, 1, stride) if needed else [])))

    def forward(self, x):
        out = x
        for i in range(1, self.count + 1):
            out = getattr(self, f'bn{i}')(getattr(self, f'conv{i}')(out))
            if i < self.count:
                out = F.relu(out, inplace=True)
        out += getattr(self, self.projection)(x)
        return F.relu(out)


class ResNet(nn.Module):
    """``resnet8`` to ``resnet110`` and the x4 nets."""

    def __init__(self, depth, widths=(16, 16, 32, 64), num_classes=100):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, widths[0], 3)
        for i in (1, 2, 3):
            blocks = []
            for b in range((depth - 2) // 6):
                inputs, stride = (widths[i - 1], min(i, 2)) if b == 0 else (widths[i], 1)
                blocks.append(Residual([(inputs, widths[i], 3, stride), (widths[i], widths[i], 3, 1)], 'downsample'))
            self.add_module(f'layer{i}', nn.Sequential(*blocks))
        self.fc = nn.Linear(widths[3], num_classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return self.fc(pooled(self.layer3(self.layer2(self.layer1(x)))))


class ResNet50(nn.Module):
    def __init__(self, num_classes=100):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 64, 3)
        inputs = 64
        for i, (width, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
            blocks = []
            for b in range(count):
                stride = 2 if b == 0 and i > 1 else 1
                convs = [(inputs, width, 1, 1), (width, width, 3, stride), (width, 4 * width, 1, 1)]
                blocks.append(Residual(convs, 'shortcut'))
                inputs = 4 * width
            self.add_module(f'layer{i}', nn.Sequential(*blocks))
        self.linear = nn.Linear(2048, num_classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(pooled(self.layer4(self.layer3(self.layer2(self.layer1(x))))))


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.convShortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x):
        out = F.relu(self.bn1(x), inplace=True)
        identity = self.convShortcut(out) if self.convShortcut else x
        return identity + self.conv2(F.relu(self.bn2(self.conv1(out)), inplace=True))


class WideStage(nn.Module):
    def __init__(self, inputs, outputs, count, stride):
        super().__init__()
        rest = [WideBlock(outputs, outputs, 1) for _ in range(count - 1)]
        self.layer = nn.Sequential(WideBlock(inputs, outputs, stride), *rest)

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, depth, factor, num_classes=100):
        super().__init__()
        count = (depth - 4) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1 = WideStage(16, 16 * factor, count, 1)
        self.block2 = WideStage(16 * factor, 32 * factor, count, 2)
        self.block3 = WideStage(32 * factor, 64 * factor, count, 2)
        self.bn1 = nn.BatchNorm2d(64 * factor)
        self.fc = nn.Linear(64 * factor, num_classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(pooled(F.relu(self.bn1(x), inplace=True)))


class VGG(nn.Module):
    """The last ReLU of a block and the poolings are outside of the blocks, as in the file."""

    def __init__(self, counts, num_classes=100):
        super().__init__()
        inputs = 3
        for i, (width, count) in enumerate(zip((64, 128, 256, 512, 512), counts)):
            layers = []
            for _ in range(count):
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                inputs = width
            self.add_module(f'block{i}', nn.Sequential(*layers[:-1]))
        self.classifier = nn.Linear(512, num_classes)

    def forward(self, x):
        poolings = 4 if x.shape[2] == 64 else 3
        for i in range(5):
            x = F.relu(getattr(self, f'block{i}')(x))
            if i < poolings:
                x = F.max_pool2d(x, 2)
        return self.classifier(pooled(x))


class Inverted(nn.Module):
    def __init__(self, inputs, outputs, stride, t):
        super().__init__()
        hidden = inputs * t
        self.add = stride == 1 and inputs == outputs
        relu = nn.ReLU(inplace=True)
        expand, depthwise = conv_bn(inputs, hidden), conv_bn(hidden, hidden, 3, stride, hidden)
        self.conv = nn.Sequential(*expand, relu, *depthwise, relu, *conv_bn(hidden, outputs))

    def forward(self, x):
        return x + self.conv(x) if self.add else self.conv(x)


class MobileNetV2(nn.Module):
    """T = 6, half width."""

    def __init__(self, num_classes=100):
        super().__init__()
        self.conv1 = nn.Sequential(*conv_bn(3, 16, 3, 2), nn.ReLU(inplace=True))
        self.blocks = nn.ModuleList()
        inputs = 16
        settings = [(1, 8, 1, 1), (6, 12, 2, 1), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1), (6, 80, 3, 2), (6, 160, 1, 1)]
        for t, outputs, count, stride in settings:
            stage = []
            for b in range(count):
                stage.append(Inverted(inputs, outputs, stride if b == 0 else 1, t))
                inputs = outputs
            self.blocks.append(nn.Sequential(*stage))
        self.conv2 = nn.Sequential(*conv_bn(160, 1280), nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(nn.Linear(1280, num_classes))

    def forward(self, x):
        x = self.conv1(x)
        for stage in self.blocks:
            x = stage(x)
        return self.classifier(pooled(self.conv2(x)))


def shuffled(x, groups):
    b, c, h, w = x.shape
    return x.reshape(b, groups, c // groups, h, w).permute(0, 2, 1, 3, 4).reshape(b, c, h, w)


class UnitV1(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride, self.g = stride, 1 if inputs == 24 else 3
        hidden = outputs // 4
        self.conv1, self.bn1 = conv_bn(inputs, hidden, groups=self.g)
        self.conv2, self.bn2 = conv_bn(hidden, hidden, 3, stride, hidden)
        self.conv3, self.bn3 = conv_bn(hidden, outputs, groups=3)

    def forward(self, x):
        out = shuffled(F.relu(self.bn1(self.conv1(x))), self.g)
        out = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(out)))))
        if self.stride == 2:
            return F.relu(torch.cat([out, F.avg_pool2d(x, 3, stride=2, padding=1)], 1))
        return F.relu(out + x)


class ShuffleV1(nn.Module):
    def __init__(self, num_classes=100):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 24)
        inputs = 24
        for i, (width, count) in enumerate(((240, 4), (480, 8), (960, 4)), start=1):
            units = [UnitV1(inputs, width - inputs, 2), *(UnitV1(width, width, 1) for _ in range(count - 1))]
            self.add_module(f'layer{i}', nn.Sequential(*units))
            inputs = width
        self.linear = nn.Linear(960, num_classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(pooled(self.layer3(self.layer2(self.layer1(x)))))


class UnitV2(nn.Module):
    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.conv1, self.bn1 = conv_bn(half, half)
        self.conv2, self.bn2 = conv_bn(half, half, 3, 1, half)
        self.conv3, self.bn3 = conv_bn(half, half)

    def forward(self, x):
        half = x.shape[1] // 2
        out = F.relu(self.bn1(self.conv1(x[:, half:])))
        out = F.relu(self.bn3(self.conv3(self.bn2(self.conv2(out)))))
        return shuffled(torch.cat([x[:, :half], out], 1), 2)


class DownV2(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        half = outputs // 2
        self.conv1, self.bn1 = conv_bn(inputs, inputs, 3, 2, inputs)
        self.conv2, self.bn2 = conv_bn(inputs, half)
        self.conv3, self.bn3 = conv_bn(inputs, half)
        self.conv4, self.bn4 = conv_bn(half, half, 3, 2, half)
        self.conv5, self.bn5 = conv_bn(half, half)

    def forward(self, x):
        left = F.relu(self.bn2(self.conv2(self.bn1(self.conv1(x)))))
        right = F.relu(self.bn3(self.conv3(x)))
        right = F.relu(self.bn5(self.conv5(self.bn4(self.conv4(right)))))
        return shuffled(torch.cat([left, right], 1), 2)


class ShuffleV2(nn.Module):
    def __init__(self, num_classes=100):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 24)
        inputs = 24
        for i, (width, count) in enumerate(((116, 3), (232, 7), (464, 3)), start=1):
            self.add_module(f'layer{i}', nn.Sequential(DownV2(inputs, width), *(UnitV2(width) for _ in range(count))))
            inputs = width
        self.conv2, self.bn2 = conv_bn(464, 1024)
        self.linear = nn.Linear(1024, num_classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(pooled(F.relu(self.bn2(self.conv2(x)))))


X4 = (32, 64, 128, 256)
NETWORKS = {
    **{f'resnet{depth}': lambda n=100, depth=depth: ResNet(depth, num_classes=n) for depth in (8, 14, 20, 32, 44, 56, 110)},
    **{f'resnet{depth}x4': lambda n=100, depth=depth: ResNet(depth, X4, n) for depth in (8, 32)},
    'ResNet50': ResNet50,
    **{f'wrn_{d}_{k}': lambda n=100, d=d, k=k: WideResNet(d, k, n) for d, k in ((16, 1), (16, 2), (40, 1), (40, 2))},
    'vgg8': lambda n=100: VGG((1, 1, 1, 1, 1), n),
    'vgg11': lambda n=100: VGG((1, 1, 2, 2, 2), n),
    'vgg13': lambda n=100: VGG((2, 2, 2, 2, 2), n),
    'vgg16': lambda n=100: VGG((2, 2, 3, 3, 3), n),
    'vgg19': lambda n=100: VGG((2, 2, 4, 4, 4), n),
    'MobileNetV2': MobileNetV2,
    'ShuffleV1': ShuffleV1,
    'ShuffleV2': ShuffleV2,
}
"""The networks by their key in the dictionaries of mdistiller and RepDistiller."""


def randomise(model, size=32):
    """Batch norm as after training: weights of its own, and the statistics of the images it has seen."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.2)
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.randn(8, 3, size, size))
    for norm in norms:
        norm.momentum = 0.1
    return model.eval()
