"""Mistakes that people make when they write a distiller: named before training, with the place and what to write instead."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from icckd_mm.config.check import check_config
from icckd_mm.config.distiller import check_distiller
from icckd_mm.distill import losses
from icckd_mm.distill.wiring import SOFTMAX
from tests.helpers import CONV, config, train
from tests.test_distill.cases import CONNECTED, KL, algorithm, weights

PLAIN = dict(hooks=(), views=1)
LABELS = dict(labels=dict(type='ModuleInputs', source='head.loss_module'))


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'a.pth')


def changed(base=KL, **places):
    """A distiller with other values at places such as ``distill_losses__loss_kl__tau``."""
    distiller = copy.deepcopy(base)
    for place, value in places.items():
        *path, last = place.split('__')
        node = distiller
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return distiller


INPUTS = changed(student_recorders=dict(logits=dict(type='ModuleInputs', source='head.loss_module')))
RENAMED = changed(
    distill_losses=dict(kl=dict(type='KLDivergence', tau=4)),
    loss_forward_mappings=dict(kl=KL['loss_forward_mappings']['loss_kl']),
)
MISTAKES = {
    'a name without loss': (RENAMED, 'distill_losses.kl would be logged but not trained: .* rename it to loss_kl'),
    'inputs without data_idx': (INPUTS, r"loss_kl.preds_S: recorder 'logits' records inputs \(a tuple\); set data_idx=0"),
    'a recorder that is not there': (
        changed(loss_forward_mappings__loss_kl__preds_S__recorder='logit'),
        "preds_S.recorder: 'logit' is not in student_recorders; did you mean logits",
    ),
    'a connector that is not there': (
        changed(CONNECTED, loss_forward_mappings__loss_kl__preds_S__connector='linaer'),
        "preds_S.connector: 'linaer' is not in connectors; did you mean linear",
    ),
    'an argument of the loss that is not there': (
        changed(loss_forward_mappings__loss_kl__preds_s=dict(recorder='logits', from_student=True)),
        'loss_kl.preds_s: KLDivergence has no argument preds_s; did you mean preds_S',
    ),
    'an argument of a record that is not there': (
        changed(loss_forward_mappings__loss_kl__preds_S__data_index=0),
        'preds_S has no argument data_index; did you mean data_idx',
    ),
    'a mapping of no loss': (
        changed(loss_forward_mappings__loss_lk={}),
        'loss_lk: there is no such .* did you mean loss_kl',
    ),
    'whose record': (changed(loss_forward_mappings__loss_kl__preds_S__from_student='yes'), 'must be True or False'),
}


@pytest.mark.parametrize('case', MISTAKES)
def test_a_mistake_in_the_config_is_named_before_anything_is_built(tmp_path, teacher, case):
    distiller, message = MISTAKES[case]
    with pytest.raises(ValueError, match=message):
        check_config(config(tmp_path, algorithm(teacher, distiller=distiller), **PLAIN))
    with pytest.raises(ValueError, match=message):
        MODELS.build(algorithm(teacher, distiller=distiller))


@pytest.mark.parametrize(
    ('place', 'value', 'message'),
    [
        ('distill_losses__loss_kl__temperature', 4, 'temperature: KLDivergence has no .*; It takes .*tau'),
        (
            'connectors__linear__module_arg',
            {},
            'linear.module_arg: TorchNNConnector has no .*; did you mean module_args',
        ),
        (
            'student_recorders__logits__sources',
            '',
            'logits.sources: ModuleOutputsRecorder has no .*; did you mean source',
        ),
    ],
)
def test_an_unknown_argument_of_a_part_is_named_before_anything_is_built(tmp_path, place, value, message):
    check_config(config(tmp_path, algorithm(distiller=CONNECTED), **PLAIN))
    with pytest.raises(ValueError, match=message):
        check_config(config(tmp_path, algorithm(distiller=changed(CONNECTED, **{place: value})), **PLAIN))


SEVERAL = {**copy.deepcopy(CONV), 'head': dict(type='MultiLabelLinearClsHead', num_classes=10, in_channels=8)}
SIGMOID = copy.deepcopy(CONV)
SIGMOID['head'].update(loss=dict(type='CrossEntropyLoss', use_sigmoid=True), cal_acc=False)


@pytest.mark.parametrize('who', ['student', 'teacher'])
@pytest.mark.parametrize(('network', 'head'), [(SEVERAL, 'MultiLabelLinearClsHead'), (SIGMOID, 'LinearClsHead')])
@pytest.mark.parametrize('kind', ['mmrazor.KLDivergence', 'mmrazor.KDSoftCELoss', 'mmrazor.DISTLoss', 'icckd_mm.HardLabelLoss'])
def test_a_softmax_of_logits_of_several_labels_is_refused(kind, network, head, who):
    """It would train without a word: KL of two softmaxes where the heads have a sigmoid for each class."""
    mapping = KL['loss_forward_mappings']['loss_kl']
    if kind == 'mmrazor.DISTLoss':
        mapping = dict(logits_S=mapping['preds_S'], logits_T=mapping['preds_T'])
    distiller = changed(distill_losses=dict(loss_kl=dict(type=kind)), loss_forward_mappings=dict(loss_kl=mapping))
    with pytest.raises(
        ValueError, match=rf"loss_kl: {kind.rpartition('.')[2]} takes the softmax .* but {head} .* type='icckd_mm.L2Loss'"
    ):
        MODELS.build(algorithm(distiller=distiller, allow_random_teacher=True, **{who: network}))


def test_all_our_losses_on_logits_take_a_softmax():
    inside = 'icckd_mm.distill.losses.logits.'
    ours = {name for name, one in vars(losses).items() if str(getattr(one, '__module__', '')).startswith(inside)}
    assert len(ours) > 10
    assert ours | {'PreviewKLDivergence'} <= set(SOFTMAX)


@pytest.mark.parametrize('network', [SEVERAL, SIGMOID])
def test_several_labels_are_taken_with_the_loss_that_the_message_names(network):
    mapping = KL['loss_forward_mappings']['loss_kl']
    distiller = changed(
        distill_losses=dict(loss_l2=dict(type='icckd_mm.L2Loss', normalize=False)),
        loss_forward_mappings=dict(loss_l2=dict(s_feature=mapping['preds_S'], t_feature=mapping['preds_T'])),
    )
    model = MODELS.build(algorithm(distiller=distiller, student=network, teacher=network, allow_random_teacher=True))
    labels = [DataSample().set_gt_score(torch.eye(10)[index]) for index in (1, 2)]
    losses = model.loss(torch.rand(2, 3, 8, 8), [sample.set_gt_label([index]) for index, sample in enumerate(labels)])
    assert losses['distill.loss_l2'] > 0


def test_a_statistic_of_weight_0_needs_no_loss_in_its_name():
    weightless = copy.deepcopy(RENAMED)
    weightless['distill_losses']['kl']['loss_weight'] = 0
    check_distiller(weightless, 'mmrazor')


def narrow(width):
    distiller = copy.deepcopy(CONNECTED)
    distiller['connectors']['linear']['module_args']['in_features'] = width
    return distiller


MAPS = changed(
    student_recorders=dict(maps=dict(type='ModuleOutputs', source='backbone.layer1')),
    teacher_recorders=dict(maps=dict(type='ModuleOutputs', source='backbone.layer1')),
    connectors=dict(wider=dict(type='ConvModuleConnector', in_channel=16, out_channel=4)),
    distill_losses=dict(loss_l2=dict(type='L2Loss')),
    loss_forward_mappings=dict(
        loss_l2=dict(
            s_feature=dict(recorder='maps', from_student=True, connector='wider'),
            t_feature=dict(recorder='maps', from_student=False),
        )
    ),
)
TUPLE = changed(
    MAPS,
    student_recorders__maps__source='backbone',
    loss_forward_mappings__loss_l2__s_feature=dict(recorder='maps', from_student=True),
)
WSLD = changed(
    student_recorders=dict(KL['student_recorders'], **LABELS),
    distill_losses=dict(loss_wsld=dict(type='WSLD', num_classes=10)),
    loss_forward_mappings=dict(
        loss_wsld=dict(
            student=dict(recorder='logits', from_student=True),
            teacher=dict(recorder='logits', from_student=False),
            gt_labels=dict(recorder='labels', from_student=True, data_idx=1),
        )
    ),
)
SEEN = {
    'a linear connector': (narrow(12), {}, r'connectors.linear \(TorchNNConnector\) takes 12 .* gives \(8, 10\); set .* to 10'),
    'a convolution': (
        MAPS,
        {},
        r"connectors.wider \(ConvModuleConnector\) takes 16 channels, but recorder 'maps' gives \(8, 4, 8, 8\); set in_channel",
    ),
    'outputs that are a tuple': (TUPLE, {}, r"loss_l2.s_feature: recorder 'maps' gives a tuple of 1; set data_idx=0"),
    'mixed images': (
        WSLD,
        dict(train_cfg=dict(augments=dict(type='Mixup', alpha=0.8))),
        'loss_wsld.gt_labels: WSLD needs one class for each image, .* mixed labels name no class',
    ),
    'another number of classes': (
        changed(WSLD, distill_losses__loss_wsld__num_classes=7),
        {},
        r'distill_losses.loss_wsld \(WSLD\) fails on student \(8, 10\)',
    ),
}


@pytest.mark.parametrize('case', SEEN)
def test_a_mistake_that_shows_at_the_first_images_is_named_before_a_step(tmp_path, teacher, case):
    distiller, student, message = SEEN[case]
    plain = {**copy.deepcopy(CONV), **student}
    plain['head']['cal_acc'] = False
    cfg = algorithm(teacher, student=plain, distiller=distiller)
    with pytest.raises(ValueError, match=message):
        train(tmp_path, Config(cfg), **PLAIN)
    assert not list(tmp_path.glob('*.pth'))
