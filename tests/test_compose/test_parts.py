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
    with pytest.raises(ValueError, match='distillers must be different names of ab, ab-pretrain, at, '):
        mix(names, PAIR)


def test_one_name_for_two_layers_is_refused():
    first, second = Parts(), Parts()
    first.student('logits', PAIR.student.logits)
    second.student('logits', PAIR.student.pooled)
    with pytest.raises(ValueError, match="use the name 'logits'"):
        merged([first, second])
