"""Distillers of logits at their published settings, and how they are wired."""

import inspect

import pytest
from mmengine.registry import MODELS

import icckd_mm  # noqa: F401
from icckd_mm.compose.distillers import DISTILLERS, mix
from icckd_mm.compose.layers import Layer, NetworkLayers, Stage
from icckd_mm.compose.parts import Pair, Parts, merged


def network(width, maps=True):
    stages = tuple(Stage(Layer(f'backbone.layer{i}', False, (width // 2 ** (3 - i), 8, 8))) for i in (1, 2, 3))
    return NetworkLayers(
        logits=Layer('head.fc', False, (100,)),
        pooled=Layer('head.fc', True, (width,), data_idx=0),
        last_map=Layer('neck.gap', True, (width, 8, 8), data_idx=0) if maps else None,
        stem=None,
        stages=stages if maps else (),
        loss_labels=Layer('head.loss_module', True, (), data_idx=1),
    )


def pair(names='resnet32x4 resnet8x4', recipe='cifar', epochs=240, **student):
    return Pair(network(64), network(32, **student), tuple(names.split()), recipe, 50000, epochs)


def hook(loss, **options):
    return [dict(type='icckd_mm.DistillWeightHook', losses=[loss], **options)]


KL, DKD = dict(type='icckd_mm.KLDivergence', standardize=True), dict(type='icckd_mm.DKDLoss', alpha=1.0, standardize=True)
SDD, SDD_DKD = dict(type='icckd_mm.SDDKLDivergence', tau=4.0, loss_weight=0.9), dict(type='icckd_mm.SDDDKDLoss', alpha=1.0)
TTM = dict(type='icckd_mm.TransformedTeacherLoss')
WKD = dict(type='icckd_mm.WassersteinLogitLoss')
MLKD = dict(type='icckd_mm.MultiLevelLogitLoss', taus=[4.0, 3.0, 5.0, 2.0, 6.0], loss_weight=0.9)
IMAGENET = dict(names='resnet34 resnet18', recipe='imagenet', epochs=100)
# name, pair, weight of the cross-entropy, losses
PUBLISHED = [
    ('lskd', {}, 0.1, dict(loss_lskd=dict(KL, tau=2.0, loss_weight=9.0))),
    ('lskd', dict(names='resnet110 resnet20'), 0.1, dict(loss_lskd=dict(KL, tau=4.0, loss_weight=12.0))),
    ('lskd', IMAGENET, 1.0, dict(loss_lskd=dict(KL, tau=2.0, loss_weight=9.0))),
    ('dkd-lskd', {}, 1.0, dict(loss_dkd=dict(DKD, tau=2.0, beta=8.0, loss_weight=9.0))),
    ('dkd-lskd', dict(names='resnet56 resnet20'), 1.0, dict(loss_dkd=dict(DKD, tau=3.0, beta=2.0, loss_weight=18.0))),
    ('sdd', {}, 0.1, dict(loss_sdd=dict(SDD, grids=[1, 2, 4]))),
    ('sdd', dict(names='vgg13 vgg8'), 0.1, dict(loss_sdd=dict(SDD, grids=[1, 2]))),
    ('dkd-sdd', dict(names='wrn40-2 mobilenetv2'), 1.0, dict(loss_sdd=dict(SDD_DKD, tau=4.0, beta=6.0, grids=[1, 2, 4]))),
    ('dkd-sdd', IMAGENET, 1.0, dict(loss_sdd=dict(SDD_DKD, tau=1.0, beta=0.5, grids=[1, 2]))),
    ('ttm', dict(names='vgg13 vgg8'), 1.0, dict(loss_ttm=dict(TTM, gamma=0.1, weighted=False, loss_weight=45.0))),
    ('wttm', {}, 1.0, dict(loss_wttm=dict(TTM, gamma=0.1, weighted=True, loss_weight=4.0))),
    ('nkd', {}, 1.0, dict(loss_nkd=dict(type='icckd_mm.NKDLoss', tau=4.0, gamma=1.5))),
    ('nkd', IMAGENET, 1.0, dict(loss_nkd=dict(type='icckd_mm.NKDLoss', tau=1.0, gamma=1.5))),
    ('wkd', {}, 1.0, dict(
        loss_target=dict(type='icckd_mm.NKDLoss', gamma=0.0), loss_wkd=dict(WKD, tau=8.0, sharpness=1.0, loss_weight=600.0)
    )),
    ('wkd', IMAGENET, 1.0, dict(
        loss_target=dict(type='icckd_mm.NKDLoss', gamma=0.0), loss_wkd=dict(WKD, tau=2.0, sharpness=1.0, loss_weight=30.0)
    )),
    ('mlkd', {}, 0.2, dict(loss_mlkd=MLKD)),
    ('mlkd', IMAGENET, 1.0, dict(loss_mlkd=dict(MLKD, taus=[1.0, 3.0, 5.0, 2.0, 6.0], loss_weight=0.5))),
    ('kd-2view', {}, 0.1, dict(loss_kl=dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=0.9))),
    ('hard-label', {}, 0.5, dict(loss_hard=dict(type='icckd_mm.HardLabelLoss', loss_weight=0.5))),
    ('ctkd', {}, 0.1, dict(loss_ctkd=dict(type='icckd_mm.CurriculumKLDivergence', ramp=10, loss_weight=0.9))),
    ('ctkd', IMAGENET, 1.0, dict(loss_ctkd=dict(type='icckd_mm.CurriculumKLDivergence', ramp=5, loss_weight=1.0))),
]  # fmt: skip


@pytest.mark.parametrize(('name', 'networks', 'ce_weight', 'losses'), PUBLISHED)
def test_settings_are_the_published_ones(name, networks, ce_weight, losses):
    parts = mix([name], pair(**networks))
    assert parts.ce_weight == pytest.approx(ce_weight)
    assert parts.losses == losses


NEW = ['ctkd', 'dkd-lskd', 'dkd-sdd', 'hard-label', 'lskd', 'mlkd', 'mlkd-480e', 'nkd', 'sdd', 'ttm', 'uskd', 'wkd', 'wttm']


@pytest.mark.parametrize('name', NEW)
def test_mappings_are_what_the_loss_takes(name):
    parts = DISTILLERS[name](pair(), frozenset())
    for loss, config in parts.losses.items():
        parameters = inspect.signature(MODELS.build(dict(config)).forward).parameters
        needed = {key for key, one in parameters.items() if one.default is one.empty}
        assert needed <= parts.mappings[loss].keys() <= parameters.keys()
        for argument, mapping in parts.mappings[loss].items():
            recorders = parts.student_recorders if mapping['from_student'] else parts.teacher_recorders
            assert mapping['recorder'] in recorders
            assert mapping['from_student'] == (argument in ('preds_S', 'gt_labels') or argument.startswith('s_'))


def test_weights_change_with_the_epoch_as_published():
    assert mix(['dkd-lskd'], pair()).hooks == hook('loss_dkd', schedule='warmup', epochs=20)
    assert mix(['dkd-sdd'], pair()).hooks == hook('loss_sdd', schedule='warmup', epochs=20)
    assert mix(['dkd-sdd'], pair(**IMAGENET)).hooks == hook('loss_sdd', schedule='warmup', epochs=1)
    assert mix(['wkd'], pair()).hooks == hook('loss_wkd', schedule='cosine', start=150)
    assert mix(['wkd'], pair(epochs=16)).hooks == hook('loss_wkd', schedule='cosine', start=10)
    assert mix(['wkd'], pair(**IMAGENET)).hooks == hook('loss_wkd', schedule='cosine', start=0)
    assert mix(['lskd'], pair()).hooks == []


def test_wttm_beside_crd_has_the_settings_published_for_the_mix():
    parts = mix(['wttm', 'crd'], pair('vgg13 vgg8'))
    assert parts.losses['loss_wttm'] == dict(TTM, gamma=0.2, weighted=True, loss_weight=4.0)
    assert parts.losses['loss_crd']['loss_weight'] == 0.8


def test_uskd_reads_the_second_last_stage_and_needs_no_teacher_alone():
    parts = mix(['uskd'], pair())
    assert parts.losses['loss_uskd'] == dict(
        type='icckd_mm.USKDLoss', num_classes=100, in_channels=16, alpha=0.1, beta=0.1, mu=0.1
    )
    assert parts.student_recorders['stage2'] == dict(type='ModuleOutputs', source='backbone.layer2')
    assert (parts.algorithm, parts.teacher_recorders) == (dict(type='SelfDistill'), {})
    assert mix(['uskd', 'kd'], pair()).algorithm == {}
    assert mix(['uskd'], pair(**IMAGENET)).losses['loss_uskd']['mu'] == 0.005
    with pytest.raises(ValueError, match='uskd needs a map after the second-last stage'):
        mix(['uskd'], pair(maps=False))
    with pytest.raises(ValueError, match='sdd needs the map that is pooled, the student has none'):
        mix(['sdd'], pair(maps=False))


def test_mlkd_has_two_views_and_a_schedule_of_its_own():
    parts = mix(['mlkd'], pair())
    assert parts.data == mix(['kd-2view'], pair()).data == 'weak_strong_views'
    assert parts.config == dict(train_cfg=dict(max_epochs=240), optim_wrapper=dict(optimizer=dict(lr=0.025)))
    longer = mix(['mlkd-480e'], pair('vgg13 mobilenetv2')).config
    assert longer == dict(train_cfg=dict(max_epochs=480), optim_wrapper=dict(optimizer=dict(lr=0.01)))
    assert mix(['mlkd'], pair(epochs=15)).config == {}
    assert mix(['kd'], pair()).data is None
    assert mix(['mlkd', 'rkd'], pair()).data == 'weak_strong_views'
    with pytest.raises(ValueError, match='two distillers of the mix need different views, one and other'):
        merged([Parts(data='one'), Parts(data='other')])
