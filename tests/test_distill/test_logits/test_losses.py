"""Losses between logits: published values, gradients, precision, compiling, wrong input."""

import pytest
import torch
from mmengine.registry import MODELS

import icckd_mm  # noqa: F401
from tests.test_distill.test_logits.cases import ALL, DISTANCES, IDS, LABELLED, PAIR, STUDENT, VALUES, arguments, of_student


def build(name, options, dtype=torch.float64):
    torch.manual_seed(0)
    return MODELS.build(dict(type=f'icckd_mm.{name}', **options)).to(dtype)


@pytest.mark.parametrize(('name', 'options', 'given', 'value'), VALUES)
def test_the_value_is_the_published_formulas(name, options, given, value):
    options = {'loss_weight': 1.0, **options} if name != 'MultiLevelLogitLoss' else options
    assert build(name, options)(**given).item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(('name', 'options'), ALL, ids=IDS)
def test_gradients_are_those_of_finite_differences(name, options):
    loss, given, names = build(name, options), arguments(name), of_student(name)
    if name == 'CurriculumKLDivergence':
        loss.theta.requires_grad_(False)  # its gradient is reversed on purpose
    inputs = [given.pop(key).requires_grad_() for key in names]
    if name == 'USKDLoss':  # ranks and the factors have no gradient
        return _same_as_with_constants(loss, given, names, inputs)
    assert torch.autograd.gradcheck(lambda *own: loss(**given, **dict(zip(names, own))), inputs)
    return None


def _same_as_with_constants(loss, given, names, inputs):
    """USKD: soft labels of the unchanged network, whatever is moved."""
    feature, logits, labels = *inputs, given['gt_labels']
    loss(**given, **dict(zip(names, inputs))).backward()
    probs, weak = logits.detach().softmax(1), loss.weak(feature.mean((2, 3)))
    expected = 0
    for row, label in enumerate(labels.tolist()):
        square = probs[row, label] ** 2 + 1 - sum(probs[j, c] ** 2 for j, c in enumerate(labels.tolist())) / len(labels)
        expected = expected - square * logits.log_softmax(1)[row, label]
        w, s = weak[row].detach().softmax(0), probs[row].log()
        scores = (w / (1 - w[label] + 1e-6) + s / (1 - s[label] + 1e-6)).tolist()
        ranks = {c: 1 + sum(other > score for other in scores) for c, score in enumerate(scores)}
        others = [c for c in range(5) if c != label]
        log_rest = logits[row, others].log_softmax(0)
        total = sum(1 / ranks[c] for c in others)
        expected = expected - 0.1 * sum(log_rest[place] / ranks[c] / total for place, c in enumerate(others))
        smooth = torch.full((5,), 0.02, dtype=torch.float64).index_fill(0, torch.tensor(label), 0.92)
        expected = expected - 0.005 * (smooth * weak[row].log_softmax(0)).sum()
    found = torch.autograd.grad(expected / len(labels), inputs)
    torch.testing.assert_close([x.grad for x in inputs], list(found))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(('name', 'options'), ALL, ids=IDS)
def test_half_precision_is_raised(name, options, dtype):
    loss, given = build(name, options, torch.float32), arguments(name, dtype)
    raised = {key: value.float() if value.is_floating_point() else value for key, value in given.items()}
    value = loss(**given)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(**raised), rtol=1e-6 if name != 'USKDLoss' else 1e-2, atol=0)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(loss(**raised), loss(**raised).float())
        lowered = loss(**raised)
    tolerance = 1e-6 if name != 'USKDLoss' else 1e-2  # its linear layer is the network's part of it
    torch.testing.assert_close(lowered, loss(**raised), rtol=tolerance, atol=0)


@pytest.mark.parametrize(('name', 'options'), ALL, ids=IDS)
def test_a_compiled_loss_is_the_eager_one(name, options):
    torch._dynamo.reset()
    loss, given = build(name, options), arguments(name)
    names = of_student(name)
    results = []
    for call in (loss, torch.compile(loss, backend='aot_eager', fullgraph=name != 'CurriculumKLDivergence')):
        own = [given[key].clone().requires_grad_() for key in names]
        value = call(**{**given, **dict(zip(names, own))})
        results.append((value.detach(), torch.autograd.grad(value, own)))
    torch.testing.assert_close(results[1], results[0])


@pytest.mark.parametrize(('name', 'options'), ALL, ids=IDS)
def test_no_gradient_reaches_the_teacher_and_an_empty_batch_gives_0(name, options):
    loss, given = build(name, options), arguments(name)
    for value in given.values():
        if value.is_floating_point():
            value.requires_grad_()
    loss(**given).backward()
    for key, value in given.items():
        if value.is_floating_point():
            assert (value.grad is None or not value.grad.any()) == key.startswith(('preds_T', 't_')), key
    if name != 'MultiLevelLogitLoss':
        empty = {key: value[:0] if value.size(0) == 6 else value for key, value in given.items()}
        value = loss(**empty)
        assert value == 0
        value.backward()


@pytest.mark.parametrize(('name', 'options'), ALL, ids=IDS)
def test_saturated_logits_give_finite_values_and_gradients(name, options):
    given = arguments(name, torch.float32)
    own = of_student(name)
    for key, value in given.items():
        if key.startswith(('preds', 's_feature', 't_feature')):
            given[key] = value * 1e4
    for key in own:
        given[key] = given[key].requires_grad_()
    value = build(name, options, torch.float32)(**given)
    value.backward()
    assert value.isfinite()
    assert all(given[key].grad.isfinite().all() for key in own)


@pytest.mark.parametrize('weight', [-1.0, float('nan'), '1'])
@pytest.mark.parametrize(('name', 'options'), ALL, ids=IDS)
def test_weights_are_numbers_of_at_least_0(name, options, weight):
    with pytest.raises(ValueError, match='loss_weight must be a finite number of at least 0'):
        build(name, {**options, 'loss_weight': weight})


@pytest.mark.parametrize(('name', 'options'), [case for case in ALL if 'preds_T' in arguments(case[0])])
def test_the_weight_scales_and_other_classes_are_refused(name, options):
    given = arguments(name)
    once, twice = (build(name, {**options, 'loss_weight': weight})(**given) for weight in (1.0, 2.0))
    torch.testing.assert_close(twice, 2 * once)
    with pytest.raises(ValueError, match=r'5.*6|6.*5'):
        build(name, options)(**{**given, 'preds_T': torch.randn(6, 6).double()})


WRONG = [
    ('KLDivergence', dict(tau=0.0), 'tau must'),
    ('SDDKLDivergence', dict(grids=(3,)), r'grids must be different sides of 1, 2 and 4, got \(3,\)'),
    ('SDDKLDivergence', dict(grids=(2, 2)), 'grids must be different'),
    ('SDDDKDLoss', dict(beta=-1.0), 'beta must'),
    ('SDDDKDLoss', dict(alpha=-1.0), 'alpha must'),
    ('TransformedTeacherLoss', dict(gamma=0.0), 'gamma must'),
    ('TransformedTeacherLoss', dict(gamma=1.5), 'gamma must be at most 1, got 1.5'),
    ('NKDLoss', dict(tau=-1.0), 'tau must'),
    ('NKDLoss', dict(gamma=-1.0), 'gamma must'),
    ('USKDLoss', dict(num_classes=0, in_channels=1), 'num_classes must'),
    ('USKDLoss', dict(num_classes=2, in_channels=0), 'in_channels must'),
    ('USKDLoss', dict(num_classes=2, in_channels=1, alpha=-1), 'alpha must'),
    ('USKDLoss', dict(num_classes=2, in_channels=1, beta=-1), 'beta must'),
    ('USKDLoss', dict(num_classes=2, in_channels=1, mu=-1), 'mu must'),
    ('USKDLoss', dict(num_classes=2, in_channels=1, rank_from='soft'), "rank_from must be one of log, prob, got 'soft'"),
    ('WassersteinLogitLoss', dict(tau=0), 'tau must'),
    ('WassersteinLogitLoss', dict(sharpness=0), 'sharpness must'),
    ('WassersteinLogitLoss', dict(iterations=0), 'iterations must'),
    ('MultiLevelLogitLoss', dict(taus=()), 'taus must be a sequence'),
    ('MultiLevelLogitLoss', dict(taus=(1, 0)), 'each of taus must'),
    ('CurriculumKLDivergence', dict(ramp=0), 'ramp must'),
]


@pytest.mark.parametrize(('name', 'options', 'message'), WRONG)
def test_arguments_out_of_range_are_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        build(name, options)


@pytest.mark.parametrize(('name', 'options'), [case for case in ALL if 'gt_labels' in arguments(case[0])])
def test_mixed_labels_and_labels_out_of_range_are_refused(name, options):
    given, loss = arguments(name), build(name, options)
    with pytest.raises(TypeError, match='labels must be an integer tensor of class indices'):
        loss(**{**given, 'gt_labels': torch.rand(6, 5)})
    with pytest.raises(ValueError, match=r'labels must lie in \[0, 5\)'):
        loss(**{**given, 'gt_labels': torch.full((6,), 5)})


def test_standardised_logits_are_mmrazors_layer_norm_of_them():
    """The route without code of ours, with temperature and weight converted."""
    options = dict(in_channels=3, norm_cfg=dict(type='LN', eps=1e-12, elementwise_affine=False))
    norm = MODELS.build(dict(type='mmrazor.NormConnector', **options)).double()
    tau, weight = 2 * (3 / 2) ** 0.5, 9 * 2 / 3
    theirs = MODELS.build(dict(type='mmrazor.KLDivergence', tau=tau, reduction='batchmean', loss_weight=weight))
    expected = theirs(norm(PAIR['preds_S']), norm(PAIR['preds_T']))
    assert expected.item() == pytest.approx(0.33705898, abs=1e-8)
    assert build('KLDivergence', dict(tau=2.0, standardize=True, loss_weight=9.0))(**PAIR).item() == pytest.approx(
        expected.item(), abs=1e-7
    )


def test_wasserstein_with_the_first_term_of_nkd_is_the_published_loss(tmp_path):
    import numpy as np

    np.save(tmp_path / 'distances.npy', DISTANCES.numpy())
    options = dict(distances=str(tmp_path / 'distances.npy'), tau=2.0, loss_weight=30.0)
    transport = build('WassersteinLogitLoss', options)
    assert transport(**LABELLED).item() == pytest.approx(30 * 0.03194180, abs=1e-6)
    total = transport(**LABELLED) + build('NKDLoss', dict(gamma=0.0))(**LABELLED)
    assert total.item() == pytest.approx(1.21442128, abs=1e-6)
    assert transport.state_dict().keys() == {'distances'}
    centers = torch.randn(3, 4)
    with pytest.raises(ValueError, match='either set distances to a file, or map t_centers'):
        transport(**LABELLED, t_centers=centers)
    with pytest.raises(ValueError, match='either set distances to a file, or map t_centers'):
        build('WassersteinLogitLoss', {})(**LABELLED)


@pytest.mark.parametrize(('alpha', 'beta', 'mu', 'rank_from', 'value'), [
    (1.0, 0.0, 0.0, 'log', 0.27271024), (0.0, 1.0, 0.0, 'log', 0.71326169), (0.0, 1.0, 0.0, 'prob', 0.91326169),
    (0.0, 0.0, 0.005, 'log', 0.01336030), (1.0, 0.1, 0.005, 'log', 0.35739671), (1.0, 0.1, 0.005, 'prob', 0.37739671),
])  # fmt: skip
def test_uskd_of_a_weak_classifier_that_reverses_the_classes(alpha, beta, mu, rank_from, value):
    loss = build('USKDLoss', dict(num_classes=3, in_channels=3, alpha=alpha, beta=beta, mu=mu, rank_from=rank_from))
    with torch.no_grad():
        loss.weak.weight.copy_(torch.eye(3))
        loss.weak.bias.zero_()
    maps = STUDENT.flip(1)[:, :, None, None].expand(2, 3, 4, 2)
    assert loss(maps, STUDENT, LABELLED['gt_labels']).item() == pytest.approx(value, abs=1e-6)
    with pytest.raises(ValueError, match='s_feature has 2 channels, in_channels is 3'):
        loss(maps[:, :2], STUDENT, LABELLED['gt_labels'])


def test_the_curriculum_moves_its_temperature_up_the_loss():
    """As in a run: no move at first, the reversed gradient from epoch 10 on; one log of the temperature per epoch."""
    from mmengine.logging import MessageHub

    hub = MessageHub.get_instance('curriculum')
    gradients = []
    loss = build('CurriculumKLDivergence', {})
    for epoch in (0, 0, 4, 9, 200):
        hub.update_info('epoch', epoch)
        loss.theta.grad = None
        loss(**PAIR).backward()
        gradients.append(loss.theta.grad.item())
    expected = [factor * 0.00311253 for factor in (-0.02447, -0.02447, -0.5, -1, -1)]
    assert gradients == pytest.approx(expected, abs=1e-7)
    assert hub.get_scalar('train/ctkd_tau').data[0].tolist() == pytest.approx([15.62117157] * 4)
