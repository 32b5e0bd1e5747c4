"""What holds for every loss and connector: empty batches, one image, integers, teachers that are not finite."""

import math

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

import icckd_mm  # noqa: F401
from icckd_mm.distill import connectors, losses

CONTRASTS = (
    'CategoryCenterContrastiveLoss',
    'CenterAlignmentLoss',
    'FeatureAlignmentLoss',
    'MultiScaleContrastiveLoss',
    'PreviewKLDivergence',
    'SampleWiseContrastiveLoss',
)  # of icckd_mm.models
ALL = (*losses.__all__, *CONTRASTS)

OPTIONS = {
    'CategoryCenterContrastiveLoss': dict(student_dims=6, teacher_dims=4),
    'CRDLoss': dict(sample_n=12, dim_out=4, neg_num=3),
    'ReviewKDLoss': dict(student_channels=(3, 3), teacher_channels=(4, 4)),
    'SubclassKLLoss': dict(num_classes=5, subclasses=2, feat_dims=4),
    'USKDLoss': dict(num_classes=5, in_channels=3),
    'VIDLoss': dict(student_channels=3, teacher_channels=4),
}
MAPS = ('ABLoss', 'ATLoss', 'FTLoss', 'L1Loss', 'L2Loss', 'NSTLoss', 'SPLoss', 'SimKDLoss', 'VIDLoss', 'WKDFeatureLoss')
LABELLED = ('DKDLoss', 'NKDLoss', 'OFALoss', 'PreviewKLDivergence', 'WassersteinLogitLoss')
LOGITS = (
    *LABELLED,
    'CurriculumKLDivergence',
    'HardLabelLoss',
    'KDSoftCELoss',
    'KLDivergence',
    'SampleWiseContrastiveLoss',
    'MultiLevelLogitLoss',
    'TransformedTeacherLoss',
)


def values(*shape):
    return torch.arange(1.0, 1 + math.prod(shape)).sin().view(shape)


def arguments(name, count):
    """What fits a loss, for some images; what starts with t or ends with T is the teacher's."""
    labels = torch.arange(count) % 5
    if name in LOGITS:
        given = dict(preds_S=values(count, 5), preds_T=3 * values(count, 5).cos())
        given.update(dict(gt_labels=labels) if name in LABELLED else {})
        return {**given, 't_centers': values(5, 6)} if name == 'WassersteinLogitLoss' else given
    if name in MAPS:
        width = 3 if name == 'VIDLoss' else 4
        return dict(s_feature=values(count, width, 4, 4), t_feature=values(count, 4, 4, 4).cos())
    if name.startswith('SDD'):
        student = dict(s_feature=values(count, 3, 4, 4), s_centers=values(5, 3), s_bias=values(5))
        teacher = dict(t_feature=values(count, 6, 4, 4), t_centers=values(5, 6), t_bias=values(5))
        return {**student, **teacher, 'gt_labels': labels}
    samples = [DataSample(metainfo=dict(sample_idx=index)).set_gt_label(index % 5) for index in range(count)]
    rows, levels = values(count, 6), {'1': 4, '2': 2}
    return {
        'AngleWiseRKD': dict(preds_S=rows, preds_T=values(count, 7)),
        'CategoryCenterContrastiveLoss': dict(
            s_feature=rows, s_centers=values(5, 6), t_centers=values(5, 4), preds_S=values(count, 5), gt_labels=labels
        ),
        'CenterAlignmentLoss': dict(s_centers=values(5, 4), s_bias=values(5), t_centers=values(5, 4).cos(), t_bias=values(5)),
        'FeatureAlignmentLoss': dict(s_feature=rows, t_feature=rows.cos()),
        'MultiScaleContrastiveLoss': dict(
            s_feature=values(count, 4, 4, 4),
            t_feature=values(count, 4, 4, 4).cos(),
            t_centers=values(5, 4),
            t_bias=values(5),
            gt_labels=labels,
        ),
        'CCLoss': dict(s_feature=rows, t_feature=rows.cos()),
        'CRDLoss': dict(s_feats=values(count, 4), t_feats=values(count, 4).cos(), data_samples=samples),
        'ChannelWiseDivergence': dict(preds_S=values(count, 4, 4, 4), preds_T=values(count, 4, 4, 4).cos()),
        'DistanceWiseRKD': dict(preds_S=rows, preds_T=values(count, 7)),
        'PKTLoss': dict(s_feature=rows, t_feature=rows.cos()),
        'ReviewKDLoss': {
            f'{who}{level}': values(count, width, side, side)
            for level, side in levels.items()
            for who, width in (('s', 3), ('t', 4))
        },
        'SubclassKLLoss': dict(preds_S=values(count, 10), preds_T=values(count, 5), features_T=values(count, 4)),
        'USKDLoss': dict(s_feature=values(count, 3, 2, 2), preds_S=values(count, 5), gt_labels=labels),
    }[name]


def build(name):
    torch.manual_seed(0)
    loss = MODELS.build(dict(type=f'icckd_mm.{name}', **OPTIONS.get(name, {})))
    if name == 'SubclassKLLoss':
        loss.fit(values(40, 4), torch.arange(40) % 5)
    if name == 'CRDLoss':
        loss(**arguments(name, 6))  # it has seen several classes
    return loss


def floats(given):
    return [key for key, value in given.items() if isinstance(value, torch.Tensor) and value.is_floating_point()]


def of_teacher(given):
    return [key for key in floats(given) if key.startswith('t') or key.endswith('_T')]


def with_gradient(given):
    fixed = [*of_teacher(given), *(['preds_S'] if 's_centers' in given else [])]  # PCKD's logits only weigh the images
    own = [key for key in floats(given) if key not in fixed]
    return {key: value.clone().requires_grad_() if key in own else value for key, value in given.items()}, own


@pytest.mark.parametrize('name', [name for name in ALL if name != 'CenterAlignmentLoss'])  # it compares classifiers
def test_a_batch_without_images_is_0_with_a_gradient_path(name):
    loss, (given, own) = build(name), with_gradient(arguments(name, 0))
    before = {key: value.clone() for key, value in loss.state_dict().items()}
    value = loss(**given)
    assert value == 0
    value.backward()
    assert all(given[key].grad is not None and not given[key].grad.any() for key in own)
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in loss.parameters())
    assert all(torch.equal(value, before[key]) for key, value in loss.state_dict().items())


@pytest.mark.parametrize('name', ALL)
def test_one_image_gives_a_finite_loss_and_gradient(name):
    given, own = with_gradient(arguments(name, 2 if name == 'MultiLevelLogitLoss' else 1))  # two views of it
    value = build(name)(**given)
    assert value.isfinite()
    value.backward()
    assert all(given[key].grad.isfinite().all() for key in own)


@pytest.mark.parametrize('name', ALL)
def test_integers_are_refused_in_one_line(name):
    given = arguments(name, 6)
    for key in floats(given):
        with pytest.raises(TypeError, match=r'must be a floating-point tensor.*, got torch.int64; convert it') as error:
            build(name)(**{**given, key: (3 * given[key]).long()})
        assert '\n' not in str(error.value)


@pytest.mark.parametrize('name', [name for name in ALL if of_teacher(arguments(name, 1))])
def test_no_choice_hides_a_teacher_that_is_not_finite(name):
    """The loss is not finite either, which stops the run (FiniteGuardHook)."""
    given = arguments(name, 6)
    for key in of_teacher(given):
        for bad in (math.nan, math.inf, -math.inf):
            broken = given[key].clone()
            broken.view(-1)[1] = bad
            assert not build(name)(**{**given, key: broken}).isfinite(), (key, bad)


CONNECTORS = {
    'CRDConnector': (dict(dim_in=16, dim_out=2), lambda connector: connector),
    'ConvRegConnector': (dict(s_shape=(4, 2, 2), t_shape=(4, 2, 2)), lambda connector: connector),
    'OFAConvHead': (dict(in_channels=4, downsamples=0, dim=4, num_classes=2), lambda connector: connector),
    'OFDMarginConnector': (dict(norm='0'), lambda connector: connector.read_teacher(torch.nn.Sequential(NORM)) or connector),
}
NORM = torch.nn.BatchNorm2d(4)


@pytest.mark.parametrize('name', connectors.__all__)
def test_connectors_refuse_integers(name):
    options, prepare = CONNECTORS[name]
    connector = prepare(MODELS.build(dict(type=f'icckd_mm.{name}', **options)))
    assert connector(values(3, 4, 2, 2)).isfinite().all()
    with pytest.raises(TypeError, match=r'must be a floating-point tensor.*, got torch.int64; convert it'):
        connector(torch.ones(3, 4, 2, 2, dtype=torch.long))
