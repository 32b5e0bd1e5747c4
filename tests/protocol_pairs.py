"""Published settings that differ by pair of networks, as data; the pairs that nothing is published for are ``'other'``."""

DKD_BETA = {
    'resnet56 resnet20': 2.0,
    'resnet110 resnet32': 2.0,
    'resnet110 resnet20': 2.0,  # ours
    'vgg13 vgg8': 6.0,
    'vgg13 mobilenetv2': 6.0,
    'wrn40-2 wrn16-2': 6.0,
    'wrn40-2 wrn40-1': 6.0,
    'resnet34 resnet18': 0.5,
    'resnet50 mobilenetv1': 2.0,
    'other': 8.0,
}
CKD_WEIGHT = {
    'resnet56 resnet20': 10.0,
    'resnet110 resnet32': 10.0,
    'wrn40-2 wrn40-1': 50.0,
    'vgg13 mobilenetv2': 50.0,
    'resnet20 resnet8': 10.0,  # ours
    'other': 100.0,
}
CKD_TAU = {'wrn40-2 wrn40-1': 2.0, 'vgg13 mobilenetv2': 2.0, 'other': 1.0}
LSKD_TAU = {
    'resnet110 resnet20': 4.0,
    'vgg13 vgg8': 3.0,
    'vgg13 mobilenetv2': 3.0,
    'resnet50 mobilenetv2': 3.0,
    'other': 2.0,
}
LSKD_WEIGHT = {'resnet110 resnet20': 12.0, 'resnet50 mobilenetv2': 1.0, 'other': 9.0}
DKD_LSKD_TAU = {'resnet56 resnet20': 3.0, 'vgg13 mobilenetv2': 3.0, 'other': 2.0}
DKD_LSKD_WEIGHT = {
    'resnet110 resnet20': 15.0,
    'resnet110 resnet32': 15.0,
    'resnet50 mobilenetv2': 15.0,
    'vgg13 vgg8': 15.0,
    'resnet56 resnet20': 18.0,
    'wrn40-2 wrn16-2': 12.0,
    'wrn40-2 wrn40-1': 12.0,
    'other': 9.0,
}
DKD_LSKD_BETA = {
    **dict.fromkeys(
        (
            'resnet110 resnet20',
            'resnet110 resnet32',
            'resnet50 mobilenetv2',
            'vgg13 vgg8',
            'resnet56 resnet20',
            'vgg13 mobilenetv2',
            'wrn40-2 wrn16-2',
            'wrn40-2 wrn40-1',
        ),
        2.0,
    ),
    'other': 8.0,
}
SDD_GRIDS = {'vgg13 vgg8': [1, 2], 'resnet34 resnet18': [1, 2], 'other': [1, 2, 4]}
WKD_TAU = {'resnet32x4 resnet8x4': 8.0, 'resnet34 resnet18': 2.0, 'resnet50 mobilenetv1': 2.0, 'other': 6.0}
WKD_WEIGHT = {'resnet32x4 resnet8x4': 600.0, 'resnet34 resnet18': 30.0, 'resnet50 mobilenetv1': 25.0, 'other': 200.0}
WKD_SHARPNESS = {'resnet50 mobilenetv1': 2.0, 'other': 1.0}
TRAIN_IMAGES = {
    'cifar10': 50_000,
    'cifar100': 50_000,
    'tiny-imagenet': 100_000,
    'in1k': 1_281_167,
    'digits': 1_437,
    'multi-view': 500,
}

REVIEWKD_WEIGHT = {
    'resnet32x4 shufflenetv2': 8.0,
    'resnet56 resnet20': 0.6,
    'resnet50 mobilenetv1': 8.0,
    **dict.fromkeys(
        (
            'wrn40-2 wrn16-2',
            'wrn40-2 wrn40-1',
            'wrn40-2 shufflenetv1',
            'resnet32x4 resnet8x4',
            'resnet32x4 shufflenetv1',
        ),
        5.0,
    ),
    'other': 1.0,  # also published for resnet110 to resnet32 and resnet34 to resnet18
}
WKD_F_WEIGHT = {
    'resnet32x4 resnet8x4': 0.08,
    'wrn40-2 shufflenetv1': 0.3,
    'resnet34 resnet18': 0.02,
    'resnet50 mobilenetv1': 0.005,
    'other': 0.1,
}
WKD_F_RATIO = {'wrn40-2 shufflenetv1': 3, 'resnet34 resnet18': 2, 'resnet50 mobilenetv1': 2, 'other': 4}
WKD_F_GRID = {'wrn40-2 shufflenetv1': 4, 'resnet34 resnet18': 4, 'resnet50 mobilenetv1': 4, 'other': 1}
