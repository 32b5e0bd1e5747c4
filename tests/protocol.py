"""The published protocol of each method as data, written down from the papers and official code, not from the package.

``{}`` in the name of a loss stands for the number of a stage. A setting that is a dict holds values by pair, with ``'other'``
for the pairs that nothing is published for.
"""

from tests.protocol_pairs import (
    CKD_TAU,
    CKD_WEIGHT,
    DKD_BETA,
    DKD_LSKD_BETA,
    DKD_LSKD_TAU,
    DKD_LSKD_WEIGHT,
    LSKD_TAU,
    LSKD_WEIGHT,
    REVIEWKD_WEIGHT,
    SDD_GRIDS,
    WKD_F_GRID,
    WKD_F_RATIO,
    WKD_F_WEIGHT,
    WKD_SHARPNESS,
    WKD_TAU,
    WKD_WEIGHT,
)

CIFAR = ('cifar10', 'cifar100', 'tiny-imagenet')
MOBILE = ('mobilenetv2', 'shufflenetv1', 'shufflenetv2')

# data: epochs, learning rate, that of mobile students, weight decay, milestones
SCHEDULES = {
    **{data: (240, 0.05, 0.01, 5e-4, [150, 180, 210]) for data in CIFAR},
    'in1k': (100, 0.1, 0.1, 1e-4, [30, 60, 90]),
    'digits': (15, 0.05, 0.05, 5e-4, None),  # a cosine; this and the next are for studies on a CPU
    'multi-view': (20, 0.05, 0.05, 5e-4, None),
}
SCHEDULE_OF_METHOD = {'ckd-480e': (480, None)}  # epochs, milestones (None: a cosine to 0)
RATE_OF_METHOD = {
    ('ft-pretrain', 'digits'): 0.01,
    ('dkd-lskd', 'digits'): 0.01,
    ('ttm', 'digits'): 0.01,
    ('sdd', 'in1k'): 0.2,
    ('dkd-sdd', 'in1k'): 0.2,
}
# MLKD on CIFAR: epochs and learning rate by pair; the milestones stay. The control has the same
MLKD = {
    'resnet50 mobilenetv2': (480, 0.01),
    'vgg13 mobilenetv2': (480, 0.01),
    'wrn40-2 shufflenetv1': (480, 0.01),
    'resnet32x4 shufflenetv1': (960, 0.01),
    'resnet32x4 shufflenetv2': (960, 0.01),
    'other': (240, 0.025),
}
MLKD_480E = {**MLKD, 'vgg13 vgg8': (480, 0.01), 'other': (480, 0.025)}
SCHEDULE_OF_PAIR = {'mlkd': MLKD, 'kd-2view': MLKD, 'mlkd-480e': MLKD_480E, 'kd-2view-480e': MLKD_480E}
# ImageNet: images in a batch and learning rate, where they differ from 256 and 0.1
IMAGENET_BATCH = {
    ('kd', '8xb64'): 0.2,
    ('at', '8xb64'): 0.2,
    ('dkd', '8xb64'): 0.2,
    ('ofd', '8xb16'): 0.05,
    ('lskd', '8xb64'): 0.2,
    ('dot', '8xb64'): 0.2,
}
BATCH = {'in1k': '8xb32', 'multi-view': '1xb32'}  # elsewhere 1xb64
BATCH_OF_CKD = {
    'wrn40-2 wrn40-1': '1xb32',
    'resnet32x4 shufflenetv1': '1xb32',
    'wrn40-2 shufflenetv1': '1xb32',
    'resnet50 mobilenetv2': '1xb32',
    'vgg13 mobilenetv2': '1xb32',
}

# Alone: weight of the cross-entropy, and the settings of each loss
PROTOCOL = {
    'kd': (0.1, {'loss_kl': dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=0.9)}),
    'fitnet': (1.0, {'loss_hint': dict(type='icckd_mm.L2Loss', normalize=False, div_element=True, loss_weight=100.0)}),
    'at': (1.0, {'loss_at{}': dict(type='icckd_mm.ATLoss', loss_weight=1000.0)}),
    'rkd': (
        1.0,
        {
            'loss_distance': dict(type='icckd_mm.DistanceWiseRKD', loss_weight=25.0, with_l2_norm=False),
            'loss_angle': dict(type='icckd_mm.AngleWiseRKD', loss_weight=50.0, with_l2_norm=False),
        },
    ),
    'crd': (1.0, {'loss_crd': dict(type='icckd_mm.CRDLoss', loss_weight=0.8)}),
    'dkd': (1.0, {'loss_dkd': dict(type='icckd_mm.DKDLoss', tau=4.0, alpha=1.0, beta=DKD_BETA)}),
    'dist': (
        1.0,
        {'loss_dist': dict(type='DISTLoss', tau=4.0, inter_loss_weight=1.0, intra_loss_weight=1.0, loss_weight=2.0)},
    ),
    'wsld': (1.0, {'loss_wsld': dict(type='WSLD', tau=4.0, loss_weight=2.25)}),
    'ofd': (1.0, {'loss_ofd{}': dict(type='OFDLoss', loss_weight='halved')}),
    'ckd': (1.0, {'loss_ckd': dict(type='icckd_mm.SampleWiseContrastiveLoss', temperature=CKD_TAU, loss_weight=CKD_WEIGHT)}),
    'pckd': (
        1.0,
        {
            'loss_cc': dict(type='icckd_mm.CategoryCenterContrastiveLoss', loss_weight=0.05),
            'loss_ca': dict(type='icckd_mm.CenterAlignmentLoss', loss_weight=1.0),
            'loss_fa': dict(type='icckd_mm.FeatureAlignmentLoss', loss_weight=20.0),
            'loss_kd': dict(type='icckd_mm.PreviewKLDivergence', loss_weight=0.9),
        },
    ),
    'ms': (1.0, {'loss_ms': dict(type='icckd_mm.MultiScaleContrastiveLoss')}),
    'subclass': (0.1, {'loss_subclass': dict(type='icckd_mm.SubclassKLLoss', how='kmeans', tau=4.0, loss_weight=0.9)}),  # ours
    'lelp': (0.1, {'loss_subclass': dict(type='icckd_mm.SubclassKLLoss', how='pca', tau=4.0, loss_weight=0.9)}),  # ours
    'soft-ce': (0.1, {'loss_soft_ce': dict(type='icckd_mm.KDSoftCELoss', tau=4.0, loss_weight=0.9)}),
    'ab-pretrain': (None, {'loss_ab{}': dict(type='icckd_mm.ABLoss', loss_weight='halved')}),
    'ab': (1.0, {}),
    'ft-pretrain': (None, {'loss_rebuild': dict(type='icckd_mm.L2Loss', normalize=False, div_element=True)}),
    'ft': (1.0, {'loss_ft': dict(type='icckd_mm.FTLoss', loss_weight=200.0)}),
    'lskd': (0.1, {'loss_lskd': dict(type='icckd_mm.KLDivergence', standardize=True, tau=LSKD_TAU, loss_weight=LSKD_WEIGHT)}),
    'dkd-lskd': (
        1.0,
        {
            'loss_dkd': dict(
                type='icckd_mm.DKDLoss',
                standardize=True,
                tau=DKD_LSKD_TAU,
                alpha=1.0,
                beta=DKD_LSKD_BETA,
                loss_weight=DKD_LSKD_WEIGHT,
            )
        },
    ),
    'sdd': (0.1, {'loss_sdd': dict(type='icckd_mm.SDDKLDivergence', tau=4.0, loss_weight=0.9, grids=SDD_GRIDS)}),
    'dkd-sdd': (1.0, {'loss_sdd': dict(type='icckd_mm.SDDDKDLoss', tau=4.0, alpha=1.0, beta=DKD_BETA, grids=SDD_GRIDS)}),
    'ttm': (1.0, {'loss_ttm': dict(type='icckd_mm.TransformedTeacherLoss', gamma=0.1, weighted=False, loss_weight=45.0)}),
    'wttm': (1.0, {'loss_wttm': dict(type='icckd_mm.TransformedTeacherLoss', gamma=0.1, weighted=True, loss_weight=4.0)}),
    'nkd': (1.0, {'loss_nkd': dict(type='icckd_mm.NKDLoss', tau=4.0, gamma=1.5)}),
    'wkd': (
        1.0,
        {
            'loss_target': dict(type='icckd_mm.NKDLoss', gamma=0.0),
            'loss_wkd': dict(
                type='icckd_mm.WassersteinLogitLoss', tau=WKD_TAU, sharpness=WKD_SHARPNESS, loss_weight=WKD_WEIGHT
            ),
        },
    ),
    'mlkd': (  # 0.1 for each of the two views
        0.2,
        {'loss_mlkd': dict(type='icckd_mm.MultiLevelLogitLoss', taus=[4.0, 3.0, 5.0, 2.0, 6.0], loss_weight=0.9)},
    ),
    'hard-label': (0.5, {'loss_hard': dict(type='icckd_mm.HardLabelLoss', loss_weight=0.5)}),
    'ctkd': (0.1, {'loss_ctkd': dict(type='icckd_mm.CurriculumKLDivergence', ramp=10, loss_weight=0.9)}),
    'reviewkd': (1.0, {'loss_review': dict(type='icckd_mm.ReviewKDLoss', loss_weight=REVIEWKD_WEIGHT)}),
    'wkd-f': (
        1.0,
        {'loss_wkd_f': dict(type='icckd_mm.WKDFeatureLoss', loss_weight=WKD_F_WEIGHT, mean_ratio=WKD_F_RATIO, grid=WKD_F_GRID)},
    ),
    'simkd': (None, {'loss_simkd': dict(type='icckd_mm.SimKDLoss', loss_weight=1.0)}),
    'sp': (1.0, {'loss_sp': dict(type='icckd_mm.SPLoss', loss_weight=3000.0)}),
    'vid': (1.0, {'loss_vid{}': dict(type='icckd_mm.VIDLoss', loss_weight=1.0)}),
    'nst': (1.0, {'loss_nst{}': dict(type='icckd_mm.NSTLoss', loss_weight=50.0)}),
    'pkt': (1.0, {'loss_pkt': dict(type='icckd_mm.PKTLoss', loss_weight=30000.0)}),
    'cc': (1.0, {'loss_cc': dict(type='icckd_mm.CCLoss', loss_weight=0.02)}),
    'ofa': (
        1.0,
        {
            'loss_ofa': dict(type='icckd_mm.OFALoss', eps=1.0, loss_weight=1.0),
            'loss_ofa{}': dict(type='icckd_mm.OFALoss', eps=1.0, loss_weight=1.0),
        },
    ),
    # ours: the teacher's classes are divided into four
    # mmrazor's, for detection and segmentation; its weights
    'cwd': (1.0, {'loss_cwd': dict(type='icckd_mm.ChannelWiseDivergence', tau=1.0, loss_weight=1.0)}),
    'pkd': (1.0, {'loss_pkd': dict(type='PKDLoss', loss_weight=1.0)}),
    'mgd': (1.0, {'loss_mgd': dict(type='MGDLoss', alpha_mgd=7e-5)}),
    'fbkd': (1.0, {'loss_fbkd': dict(type='FBKDLoss')}),
}
PROTOCOL['pckd-4rot'] = PROTOCOL['pckd']
PROTOCOL['mlkd-480e'] = PROTOCOL['mlkd']
PROTOCOL['kd-2view'] = PROTOCOL['kd-2view-480e'] = PROTOCOL['kd']
# On ImageNet: what differs from the above
IMAGENET = {
    'kd': (0.5, {'loss_kl': dict(type='KLDivergence', tau=1.0, reduction='batchmean', loss_weight=0.5)}),
    'dkd': (1.0, {'loss_dkd': dict(type='icckd_mm.DKDLoss', tau=1.0, alpha=1.0, beta=DKD_BETA)}),
    'dist': (1.0, {'loss_dist': dict(type='DISTLoss', tau=1.0, loss_weight=2.0)}),
    'wsld': (1.0, {'loss_wsld': dict(type='WSLD', tau=2.0, loss_weight=2.5)}),
    'ofd': (1.0, {'loss_ofd{}': dict(type='OFDLoss', loss_weight='a tenth, halved')}),
    'lskd': (1.0, {'loss_lskd': dict(type='icckd_mm.KLDivergence', standardize=True, tau=2.0, loss_weight=9.0)}),
    'dkd-sdd': (1.0, {'loss_sdd': dict(type='icckd_mm.SDDDKDLoss', tau=1.0, alpha=1.0, beta=DKD_BETA, grids=SDD_GRIDS)}),
    'nkd': (1.0, {'loss_nkd': dict(type='icckd_mm.NKDLoss', tau=1.0, gamma=1.5)}),
}
# Names that are not a chain of the above
PARTS = {'ckd-480e': ['ckd'], 'dot': ['kd']}
# The mix of KD and CRD has weights of its own; in all others the smallest weight of the cross-entropy holds
KD_BESIDE_CRD = (1.0, {'loss_kl': dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=1.0)})
# Epochs of a linear warm-up, by method and data; 20 on CIFAR. On the CPU data a twelfth of the training (ours)
WARMUP = {'dkd': dict(in1k=1, digits=1, **{'multi-view': 2})}
WARMUP.update({'dkd-lskd': WARMUP['dkd'], 'dkd-sdd': WARMUP['dkd'], 'reviewkd': WARMUP['dkd']})
DOT_DELTA = {'in1k': 0.09}  # elsewhere 0.075
WARMED = {'reviewkd': 'loss_review', 'dkd': 'loss_dkd', 'dkd-lskd': 'loss_dkd', 'dkd-sdd': 'loss_sdd'}
# Last epoch before the weight of the transport falls as a cosine; on ImageNet it falls from the start, on the digits ours
WKD_START = dict(in1k=0, digits=9)
WKD_F_START = {('in1k', 'resnet50'): 30}

# Outputs of the stages that the benchmark compares, and the same before the ReLU, by network without depth and width
BASIC = ['layer1', 'layer2', 'layer3']
STAGES = {
    'resnet': BASIC,
    'wrn': BASIC,
    'vgg': ['layer2', 'layer3', 'layer4', 'layer5'],
    'mobilenetv2': ['layer2', 'layer3', 'layer5', 'layer7'],
    'mobilenetv1': ['layer1', 'layer2', 'layer3', 'layer4'],
    'shufflenetv1': BASIC,
    'shufflenetv2': BASIC,
    'resnet50': ['layer1', 'layer2', 'layer3', 'layer4'],
    'resnet34': ['layer1', 'layer2', 'layer3', 'layer4'],
    'resnet18': ['layer1', 'layer2', 'layer3', 'layer4'],
}
LAST_BLOCK = {'resnet20': 2, 'resnet56': 8, 'resnet110': 17, 'resnet32x4': 4, 'resnet8': 0, 'resnet8x4': 0, 'resnet32': 4}
WRN_NORMS = ['layer2.0.bn1', 'layer3.0.bn1', 'bn1']
VGG_NORMS = {'vgg13': 2, 'vgg8': 1}
SHUFFLE_BLOCKS = [3, 7, 3]


def stages(net):
    """Names of the stages' ends in the backbone."""
    return STAGES.get(net) or STAGES[net.rstrip('0123456789x-')]


def before_relu(net):
    """Names of the same maps before their ReLU, for the networks of CIFAR that have one."""
    if net.startswith('wrn'):
        return WRN_NORMS
    if net.startswith('vgg'):
        return [f'{stage}.bn{VGG_NORMS[net]}' for stage in stages(net)]
    if net.startswith('shufflenet'):
        return [f'{stage}.{block}.preact' for stage, block in zip(BASIC, SHUFFLE_BLOCKS)]
    blocks = [2, 3, 5, 2] if net == 'resnet50' else [LAST_BLOCK[net]] * 3
    return [f'{stage}.{block}.preact' for stage, block in zip(stages(net), blocks)]


def parts(method):
    """The methods of a mix."""
    if method in PROTOCOL:
        return [method]
    return PARTS.get(method) or method.split('-')


def protocol(method, data, teacher, student):
    """Weight of the cross-entropy, and the losses by name, of a method on a data set for a pair."""
    names = parts(method)
    rows = []
    for name in names:
        row = IMAGENET.get(name, PROTOCOL[name]) if data == 'in1k' else PROTOCOL[name]
        rows.append(KD_BESIDE_CRD if sorted(names) == ['crd', 'kd'] and name == 'kd' else row)
    losses = {}
    count = len(stages(teacher))
    for name, settings in (pair for _, row in rows for pair in row.items()):
        for number in range(1, count + 1) if '{}' in name else [1]:
            chosen = {key: _value(value, f'{teacher} {student}', count - number) for key, value in settings.items()}
            losses[name.format(number)] = chosen
    weights = [weight for weight, _ in rows if weight is not None]
    return min(weights, default=None), losses


def _value(value, pair, after):
    """A setting of a pair, in a stage with ``after`` stages behind it."""
    if isinstance(value, dict):
        return value.get(pair, value['other'])
    return {'halved': 0.5**after, 'a tenth, halved': 0.1 * 0.5**after}[value] if 'halved' in str(value) else value
