"""Distillation through pseudo-subclasses of the teacher's classes."""

import copy
import math

import pytest
import torch

from icckd_mm.distill.losses import SubclassKLLoss
from icckd_mm.functional.distill.logits.subclass_fit import fit_subclasses
from icckd_mm.functional.distill.logits.subclasses import grouped_logits, subclass_logits
from icckd_mm.models import SubclassClsHead
from tests.helpers import CONV, equal, train
from tests.test_distill.cases import KL, algorithm, weights

PLAIN = dict(hooks=[dict(type='icckd_mm.SubclassHook')], views=1, images=96, batch=24)
STUDENT = {**CONV, 'head': {**CONV['head'], 'type': 'icckd_mm.SubclassClsHead', 'subclasses': 2}}
LOSS = dict(type='icckd_mm.SubclassKLLoss', num_classes=10, subclasses=2, feat_dims=8)


def distiller(**changes):
    config = copy.deepcopy(KL)
    config['teacher_recorders'] = {**config['teacher_recorders'], 'pooled': dict(type='ModuleInputs', source='head.fc')}
    config['distill_losses'] = dict(loss_subclass={**LOSS, **changes})
    mapping = config['loss_forward_mappings'].pop('loss_kl')
    features = dict(recorder='pooled', from_student=False, data_idx=0)
    config['loss_forward_mappings']['loss_subclass'] = {**mapping, 'features_T': features}
    return config


def two_lumps(spread=0.1):
    """Two classes of two lumps each, of 30 images."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[0.0, 5.0, 0.0], [0.0, -5.0, 0.0], [9.0, 0.0, 3.0], [9.0, 0.0, -3.0]], dtype=torch.float64)
    lumps = torch.arange(120) % 4
    features = centres[lumps] + spread * torch.randn(120, 3, generator=generator, dtype=torch.float64)
    return features, lumps // 2, lumps


@pytest.mark.parametrize('how', ['kmeans', 'pca'])
def test_lumps_of_a_class_become_subclasses_and_the_class_keeps_its_probability(how):
    features, labels, lumps = two_lumps()
    weight, bias = (part.double() for part in fit_subclasses(features, labels, 2, 2, how, 4.0))
    logits = torch.randn(120, 2, dtype=torch.float64)
    fine = subclass_logits(logits, features, weight, bias)
    torch.testing.assert_close(grouped_logits(fine, 2), logits)
    own = fine.view(120, 2, 2)[torch.arange(120), labels]
    if how == 'kmeans':
        chosen = own.argmax(dim=1)
        agreement = [(chosen[lumps == lump] == chosen[lumps == lump][0]).all() for lump in range(4)]
        assert all(agreement)
        assert {int(chosen[lumps == 0][0]), int(chosen[lumps == 1][0])} == {0, 1}
    else:  # the first direction of class 0 is the axis that parts its lumps
        assert abs(weight[0, 0, 1]) > 20 * abs(weight[0, 0, 0])


def test_scores_of_kmeans_are_distances_to_the_centres():
    """A transcription: softmax of minus a squared distance over 2 v, image by image."""
    features, labels, _ = two_lumps(spread=2.0)
    weight, bias = (part.double() for part in fit_subclasses(features, labels, 2, 2, 'kmeans', 3.0))
    for c in range(2):
        rows = features[labels == c]
        # a centre is where the gradient of its score vanishes: score = w f + b, w = k mu, b = -k mu^2 / 2
        scale = [-2 * bias[c, s] / (weight[c, s] @ (weight[c, s] / 1)) for s in range(2)]
        centres = [weight[c, s] * scale[s] for s in range(2)]
        nearest = [min(float(((row - centre) ** 2).sum()) for centre in centres) for row in rows]
        v = sum(nearest) / len(nearest)
        for row in rows[:5]:
            terms = [math.exp(-3.0 * float(((row - centre) ** 2).sum()) / (2 * v)) for centre in centres]
            expected = [math.log(term / sum(terms)) for term in terms]
            found = subclass_logits(torch.zeros(1, 2).double(), row[None], weight, bias)[0, 2 * c : 2 * c + 2]
            torch.testing.assert_close(found, torch.tensor(expected).double(), rtol=1e-4, atol=1e-4)


def test_the_principal_directions_have_unit_variance_times_sharpness():
    features, labels, _ = two_lumps(spread=1.0)
    weight, bias = (part.double() for part in fit_subclasses(features, labels, 2, 3, 'pca', 5.0))
    scores = features[labels == 1] @ weight[1].T + bias[1]
    torch.testing.assert_close(scores.mean(dim=0), torch.zeros(3).double(), rtol=0, atol=1e-4)
    torch.testing.assert_close(scores.var(dim=0, unbiased=False), torch.full((3,), 25.0).double(), rtol=1e-4, atol=0)


def test_value_and_gradient_equal_the_formula():
    torch.manual_seed(0)
    features, labels, _ = two_lumps()
    loss = SubclassKLLoss(2, 2, 3, tau=3.0, loss_weight=0.7, sharpness=0.5).double()
    loss.fit(features, labels)
    teacher, student = torch.randn(5, 2).double(), torch.randn(5, 4).double().requires_grad_()
    value = loss(student, teacher, features[:5])
    expected = 0.0
    for row in range(5):
        p = (subclass_logits(teacher, features[:5], loss.weight, loss.bias)[row] / 3).softmax(0)
        q = (student[row] / 3).softmax(0)
        expected = expected + 0.7 * 9 / 5 * sum(p[k] * (p[k].log() - q[k].log()) for k in range(4))
    torch.testing.assert_close(value, expected)
    (fast,) = torch.autograd.grad(value, student)
    (slow,) = torch.autograd.grad(expected, student)
    torch.testing.assert_close(fast, slow)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(how='dbscan'), "how must be one of kmeans, pca, got 'dbscan'"),
        (dict(sharpness=0), 'sharpness must be a finite number above 0'),
        (dict(subclasses=0), 'subclasses must be an integer'),
        (dict(subclasses=1), 'subclasses must be an integer of at least 2, got 1; with 1 nothing is divided: use'),
        (dict(tau=-1), 'tau must be'),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SubclassKLLoss(**{**dict(num_classes=2, subclasses=2, feat_dims=3), **arguments})


@pytest.mark.parametrize('how', ['kmeans', 'pca'])
def test_a_class_with_few_images_is_not_divided(how):
    weight, bias = fit_subclasses(torch.randn(10, 3), torch.tensor([0] * 8 + [1] * 2), 3, 2, how, 4.0)
    assert weight[0].abs().sum() > 0
    assert not weight[1:].any()
    assert not bias[1:].any()


def test_the_log_names_classes_that_are_not_divided(tmp_path, capfd):
    path = weights(tmp_path / 'teacher.pth')
    few = {**PLAIN, 'images': 24}
    train(
        tmp_path,
        algorithm(path, student={**STUDENT, 'head': {**STUDENT['head'], 'subclasses': 4}}, distiller=distiller(subclasses=4)),
        **few,
    )
    assert 'too few images for 4 subclasses' in ''.join(capfd.readouterr())


def test_without_the_hook_the_first_step_says_what_is_missing(tmp_path):
    path = weights(tmp_path / 'teacher.pth')
    with pytest.raises(ValueError, match=r'not known yet; add .*SubclassHook'):
        train(tmp_path, algorithm(path, student=STUDENT, distiller=distiller()), **{**PLAIN, 'hooks': []})


def test_a_hook_without_such_a_loss_is_refused(tmp_path):
    path = weights(tmp_path / 'teacher.pth')
    with pytest.raises(ValueError, match='with loss_kl'):
        train(tmp_path, algorithm(path), **PLAIN)


@pytest.mark.parametrize('how', ['kmeans', 'pca'])
def test_a_student_learns_and_a_resumed_one_is_the_same(tmp_path, how):
    path = weights(tmp_path / 'teacher.pth')
    model = algorithm(path, student=STUDENT, distiller=distiller(how=how))
    whole, steps = train(tmp_path / 'whole', model, epochs=2, **PLAIN)
    assert all(step['distill.loss_subclass'] > 0 for step in steps)
    loss = whole.model.distiller.distill_losses['loss_subclass']
    assert loss.ready
    assert loss.weight.abs().sum() > 0
    half = dict(resume=True, load_from=str(tmp_path / 'whole/epoch_1.pth'))
    resumed, _ = train(tmp_path / 'resumed', model, epochs=2, **PLAIN, **half)
    assert equal(whole.model.architecture.state_dict(), resumed.model.architecture.state_dict())
    assert equal(loss.state_dict(), resumed.model.distiller.distill_losses['loss_subclass'].state_dict())


def test_the_head_gives_class_logits():
    head = SubclassClsHead(3, 5, subclasses=4)
    features = torch.randn(2, 5)
    torch.testing.assert_close(head((features,)), head.fc(features).view(2, 3, 4).logsumexp(dim=2))


@pytest.mark.parametrize('how', ['kmeans', 'pca'])
def test_a_class_of_equal_or_flat_features_keeps_the_loss_finite(how):
    features, labels = torch.randn(60, 4), torch.arange(60) % 3
    features[labels == 0] = 0.0
    features[labels == 1, 1:] = 2.0
    loss = SubclassKLLoss(3, 2, 4, how=how)
    loss.fit(features, labels)
    assert not loss.weight[0].any()
    assert loss(torch.randn(6, 6), torch.randn(6, 3), features[:6]).isfinite()


def test_scores_do_not_lose_digits_under_autocast():
    features = torch.rand(3, 64)[torch.arange(60) % 3] + 0.01 * torch.randn(60, 64)
    loss = SubclassKLLoss(3, 2, 64)
    loss.fit(features, torch.arange(60) % 3)
    student, teacher = torch.randn(60, 6), torch.randn(60, 3)
    plain = loss(student, teacher, features)
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(loss(student, teacher, features), plain)


def test_a_file_with_another_number_of_subclasses_leaves_the_loss_unfitted():
    features, labels, _ = two_lumps()
    fitted, other = SubclassKLLoss(2, 2, 3), SubclassKLLoss(2, 4, 3)
    fitted.fit(features, labels)
    with pytest.raises(RuntimeError, match='size mismatch'):
        other.load_state_dict(fitted.state_dict())
    assert not other.ready
