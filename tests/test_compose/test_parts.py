"""Parts of distillers, put together to configs."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from icckd_mm.compose.distillers import mix
from icckd_mm.compose.distillers.features.wkd_f import wkd_f
from icckd_mm.compose.files import student_optimizer
from icckd_mm.compose.layers import Layer, NetworkLayers, Stage
from icckd_mm.compose.parts import Pair, Parts, merged
from icckd_mm.compose.published import DKD_BETA, by_pair


def network(width):
    pooled = Layer('head.fc', True, (width,), data_idx=0)
    return NetworkLayers(Layer('head.fc', False, (10,)), pooled, None, None, (), None)


PAIR = Pair(network(64), network(32), None, 'cifar', 1000)


def test_kd_alone_leaves_a_tenth_to_the_labels():
    parts = mix(['kd'], PAIR)
    assert parts.ce_weight == 0.1
    assert parts.losses['loss_kl']['loss_weight'] == 0.9


def test_kd_beside_crd_has_the_published_weights_of_the_mix():
    parts = mix(['kd', 'crd'], PAIR)
    assert parts.ce_weight == 1.0
    assert parts.losses['loss_kl']['loss_weight'] == 1.0
    assert parts.connectors['crd_teacher']['dim_in'] == 64
    assert parts.mappings['loss_crd']['s_feats'] == dict(
        from_student=True, recorder='pooled', data_idx=0, connector='crd_student'
    )


@pytest.mark.parametrize('names', [[], ['kd', 'kd'], ['nonsense']])
def test_unknown_and_repeated_names_are_refused(names):
    with pytest.raises(ValueError, match='distillers must be different names of ab, ab-pretrain, at, '):
        mix(names, PAIR)


def test_one_name_for_two_layers_is_refused():
    first, second = Parts(), Parts()
    first.student('logits', PAIR.student.logits)
    second.student('logits', PAIR.student.pooled)
    with pytest.raises(ValueError, match="use the name 'logits'"):
        merged([first, second])


def test_tokens_that_are_used_as_a_map_pass_the_connector_that_makes_it():
    tokens = Layer('backbone.layers.2', False, (17, 192)).as_map()
    assert tokens.shape == (192, 4, 4)
    assert tokens.width == 192
    parts = Parts(connectors=dict(hint=dict(type='Hint', width=192)))
    assert parts.student('stage2', tokens, 'hint')['connector'] == 'hint'
    assert parts.connectors['hint'] == dict(type='icckd_mm.TokensToMap', extra_tokens=1, connector=dict(type='Hint', width=192))
    assert parts.teacher('stage2', tokens)['connector'] == 'stage2_teacher'
    assert parts.connectors['stage2_teacher'] == dict(type='icckd_mm.TokensToMap', extra_tokens=1)
    with pytest.raises(ValueError, match='enter it first'):
        Parts().student('stage2', tokens, 'hint')


def test_a_map_stays_what_it_is_as_a_map():
    layer = Layer('backbone.layer2', False, (32, 8, 8))
    assert layer.as_map() is layer
    assert 'connector' not in Parts().student('stage2', layer)


def test_a_later_call_of_a_module_is_read_by_its_number():
    argument = Parts().student('before', Layer('backbone.relu', True, (8, 4, 4), data_idx=0, record_idx=2))
    assert argument == dict(from_student=True, recorder='before', data_idx=0, record_idx=2)


def stages(*widths):
    side = [32, 16, 8, 4]
    layers = [Layer(f'backbone.layer{n + 1}', False, (width, side[n], side[n])) for n, width in enumerate(widths)]
    return tuple(Stage(layer) for layer in layers)


STAGED = Pair(
    replace(PAIR.teacher, stages=stages(32, 64, 128)), replace(PAIR.student, stages=stages(16, 32, 64)), None, 'cifar', 1000
)
TOKENS = replace(STAGED, student=replace(PAIR.student, stages=(Stage(Layer('backbone.layers.1', False, (50, 192))),)))


def test_vid_has_a_loss_with_both_widths_for_each_stage():
    parts = mix(['vid'], STAGED)
    assert [loss['teacher_channels'] for loss in parts.losses.values()] == [32, 64, 128]
    assert [loss['student_channels'] for loss in parts.losses.values()] == [16, 32, 64]
    assert parts.mappings['loss_vid3']['t_feature'] == dict(from_student=False, recorder='stage3')
    assert parts.teacher_recorders['stage3'] == dict(type='ModuleOutputs', source='backbone.layer3')


def test_similarities_are_those_of_the_last_stages_without_soft_labels():
    parts = mix(['sp'], STAGED)
    assert parts.ce_weight == 1.0
    assert parts.losses == dict(loss_sp=dict(type='icckd_mm.SPLoss', loss_weight=3000.0))
    assert [recorder['source'] for recorder in parts.student_recorders.values()] == ['backbone.layer3']


def test_congruence_embeds_the_pooled_features_of_both():
    parts = mix(['cc'], PAIR)
    assert parts.connectors['cc_teacher']['module_args'] == dict(in_features=64, out_features=128)
    assert parts.connectors['cc_student']['module_args'] == dict(in_features=32, out_features=128)


@pytest.mark.parametrize('name', ['nst', 'vid'])
def test_of_more_stages_those_of_the_nearest_sides_are_compared(name):
    fewer = replace(STAGED, student=replace(PAIR.student, stages=stages(16, 32)))  # sides 32 and 16
    parts = mix([name], fewer)
    assert [recorder['source'] for recorder in parts.teacher_recorders.values()] == ['backbone.layer1', 'backbone.layer2']
    swapped = mix([name], replace(STAGED, teacher=replace(PAIR.teacher, stages=stages(16, 32))))
    assert [recorder['source'] for recorder in swapped.student_recorders.values()] == ['backbone.layer1', 'backbone.layer2']


@pytest.mark.parametrize('name', ['nst', 'vid', 'wkd-f'])
def test_tokens_are_compared_as_maps(name):
    parts = mix([name], TOKENS)
    made = [one for one in parts.connectors.values() if one['type'] == 'icckd_mm.TokensToMap']
    assert {one['extra_tokens'] for one in made} == {1}


def test_similarities_need_a_stage():
    with pytest.raises(ValueError, match='no stage of the student was found'):
        mix(['sp'], PAIR)


def test_reviews_see_the_teacher_before_its_relu_and_warm_up():
    before = replace(STAGED.teacher.stages[0].output, source='backbone.layer1.0.preact')
    teacher = replace(STAGED.teacher, stages=(Stage(STAGED.teacher.stages[0].output, before), *STAGED.teacher.stages[1:]))
    parts = mix(['reviewkd'], replace(STAGED, teacher=teacher, names=('resnet32x4', 'resnet8x4')))
    assert parts.losses['loss_review'] == dict(
        type='icckd_mm.ReviewKDLoss',
        student_channels=[16, 32, 64, 32],
        teacher_channels=[32, 64, 128, 64],
        loss_weight=5.0,
    )
    sources = [parts.teacher_recorders[parts.mappings['loss_review'][f't{n}']['recorder']]['source'] for n in (1, 2, 4)]
    assert sources == ['backbone.layer1.0.preact', 'backbone.layer2', 'head.fc']
    assert parts.hooks == [dict(type='icckd_mm.DistillWeightHook', losses=['loss_review'], schedule='warmup', epochs=20)]


def test_statistics_have_the_settings_of_the_pair_and_of_both_forms():
    pair = replace(STAGED, names=('resnet32x4', 'resnet8x4'))
    parts = mix(['wkd-f'], pair)
    assert parts.losses['loss_wkd_f'] == dict(type='icckd_mm.WKDFeatureLoss', grid=1, mean_ratio=4, loss_weight=0.08)
    assert parts.connectors['wkd'] == dict(type='icckd_mm.ConvRegConnector', s_shape=[64, 8, 8], t_shape=[128, 8, 8])
    assert parts.hooks[0] == dict(type='icckd_mm.DistillWeightHook', losses=['loss_wkd_f'], schedule='cosine', start=150)
    assert wkd_f(pair, frozenset({'wkd'})).losses['loss_wkd_f']['mean_ratio'] == 8
    assert wkd_f(STAGED, frozenset()).losses['loss_wkd_f']['loss_weight'] == 0.1


def test_simkd_gives_the_student_a_projector_and_the_teachers_classifier():
    teacher = replace(STAGED.teacher, last_map=Layer('neck.gap', True, (64, 8, 8), data_idx=0))
    student = replace(STAGED.student, last_map=Layer('neck.gap', True, (32, 16, 16), data_idx=0))
    parts = mix(['simkd'], replace(STAGED, teacher=teacher, student=student))
    assert parts.algorithm == dict(type='icckd_mm.ReusedClassifierDistill')
    neck = dict(_delete_=True, type='icckd_mm.SimKDNeck', in_channels=32, teacher_channels=64, factor=2, max_side=8)
    assert parts.architecture == dict(neck=neck, head=dict(in_channels=64))
    assert parts.student_recorders == dict(projected=dict(type='ModuleOutputs', source='neck.projector'))
    assert parts.mappings['loss_simkd']['t_feature'] == dict(from_student=False, recorder='last_map', data_idx=0)
    with pytest.raises(ValueError, match='simkd needs the map that is pooled, the student has none'):
        mix(['simkd'], replace(STAGED, teacher=teacher))
    wide = replace(teacher, last_map=Layer('neck.gap', True, (128, 8, 8), data_idx=0))
    with pytest.raises(ValueError, match='the teacher pools 128 channels, but its classifier reads 64 features'):
        mix(['simkd'], replace(STAGED, teacher=wide, student=student))


def test_ofa_has_a_head_for_each_stage_of_the_student_and_reads_logits_alone_of_the_teacher():
    labels = Layer('head.loss_module', True, (), data_idx=1)
    parts = mix(['ofa'], replace(STAGED, student=replace(STAGED.student, loss_labels=labels)))
    heads = [(head['in_channels'], head['downsamples'], head['dim']) for head in parts.connectors.values()]
    assert heads == [(16, 2, 64), (32, 1, 64), (64, 0, 64)]
    assert parts.teacher_recorders == dict(logits=dict(type='ModuleOutputs', source='head.fc'))
    assert {loss['eps'] for loss in parts.losses.values()} == {1.0}
    assert parts.mappings['loss_ofa2']['preds_S'] == dict(from_student=True, recorder='stage2', connector='ofa2')
    vit = replace(TOKENS.student, loss_labels=labels)
    parts = mix(['ofa'], replace(TOKENS, student=vit, recipe='imagenet'))
    assert parts.connectors['ofa1']['type'] == 'icckd_mm.TokensToMap'
    assert parts.connectors['ofa1']['connector']['in_channels'] == 192
    assert {loss['eps'] for loss in parts.losses.values()} == {1.5}
    with pytest.raises(ValueError, match='ofa puts a head on each stage'):
        mix(['ofa'], PAIR)


def test_dot_changes_the_optimizer_and_distils_soft_labels_where_it_stands_alone():
    wrapper = dict(type='icckd_mm.DOTOptimWrapper', optimizer=dict(type='icckd_mm.DOTSGD', delta=0.075))
    alone, mixed = mix(['dot'], PAIR), mix(['rkd', 'dot'], PAIR)
    assert alone.config == mixed.config == dict(optim_wrapper=wrapper)
    assert (alone.ce_weight, list(alone.losses)) == (0.1, ['loss_kl'])
    assert (mixed.ce_weight, list(mixed.losses)) == (1.0, ['loss_distance', 'loss_angle'])
    assert mix(['kd', 'dot'], replace(PAIR, recipe='imagenet')).config['optim_wrapper']['optimizer']['delta'] == 0.09


@pytest.mark.parametrize(
    ('names', 'recipe', 'beta'),
    [
        (('resnet50', 'mobilenetv2'), 'cifar', 8.0),
        (('resnet50', 'mobilenetv2'), 'imagenet', -1.0),
        (('resnet34', 'resnet18'), 'imagenet', 0.5),
        (('resnet34', 'resnet18'), 'cifar', -1.0),
        (None, 'cifar', -1.0),
    ],
)
def test_settings_published_for_one_recipe_do_not_reach_the_other(names, recipe, beta):
    assert by_pair(DKD_BETA, replace(PAIR, names=names, recipe=recipe), -1.0) == beta


@pytest.mark.parametrize(
    ('own', 'published', 'given', 'expected'),
    [
        (dict(lr=0.01), dict(type='DOTSGD', delta=0.075), False, dict(lr=0.01, type='DOTSGD', delta=0.075)),  # a low rate stays
        (dict(lr=0.05), dict(lr=0.025), False, dict(lr=0.025)),
        (dict(lr=0.3), dict(lr=0.025), True, dict(lr=0.3)),
        (dict(_delete_=True, type='AdamW', lr=1e-3), dict(lr=0.025), False, dict(_delete_=True, type='AdamW', lr=1e-3)),
        (dict(_delete_=True, type='AdamW', lr=1e-3), dict(type='DOTSGD', delta=0.1), False, dict(type='DOTSGD', delta=0.1)),
    ],
)
def test_published_rates_are_for_sgd_and_give_way_to_the_users(own, published, given, expected):
    setting = SimpleNamespace(rates=dict(student=dict(optimizer=own)), schedule=SimpleNamespace(given_lr=given))
    assert student_optimizer(setting, dict(optimizer=published)) == dict(optimizer=expected)
