"""Parts of distillers, put together to configs."""

import pytest

from icckd_mm.compose.distillers import mix
from icckd_mm.compose.layers import Layer, NetworkLayers
from icckd_mm.compose.parts import Pair, Parts, merged


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
    with pytest.raises(ValueError, match='distillers must be different names of crd'):
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
