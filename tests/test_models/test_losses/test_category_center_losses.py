"""The four losses of PCKD, and the head's loss that goes with rotated views."""

import math

import pytest
import torch
from mmengine.logging import MessageHub
from torch.nn import functional as F

from icckd_mm.functional import (
    category_center_contrastive_loss,
    center_alignment_loss,
    feature_alignment_loss,
    preview_weights,
    soft_label_divergence,
)
from icckd_mm.models import (
    CategoryCenterContrastiveLoss,
    CenterAlignmentLoss,
    FeatureAlignmentLoss,
    FirstViewCrossEntropyLoss,
    PreviewKLDivergence,
)
from icckd_mm.registry import MODELS


@pytest.fixture(autouse=True)
def hub():
    """The first epoch, as a runner counts it."""
    hub = MessageHub.get_current_instance()
    hub.update_info('epoch', 0)
    return hub


def draw(images=6, rotations=1, student_dims=4, teacher_dims=7, classes=3):
    rows = images * rotations
    return dict(
        s_feature=torch.randn(rows, student_dims, requires_grad=True),
        s_centers=torch.randn(classes, student_dims, requires_grad=True),
        t_centers=torch.randn(classes, teacher_dims, requires_grad=True),
        preds_S=(3 * torch.randn(rows, classes)).requires_grad_(),
        gt_labels=torch.randint(classes, (images,)).repeat_interleave(rotations),
    )


def expected_loss(module, given, *, rotations=1, epoch=1, base=1.005, tau=4.0, tau0=0.07, weight=0.05):
    """PCKD's term by its definition: embed, normalise, score, contrast, and weigh each image's rows."""
    scores = []
    for embed, centers in ((module.embed_student, given['s_centers']), (module.embed_teacher, given['t_centers'])):
        embedded = given['s_feature'] @ embed.weight.T + embed.bias
        scores.append((embedded / embedded.norm(dim=1, keepdim=True)) @ centers.detach().T)
    losses = category_center_contrastive_loss(
        *scores, given['gt_labels'], temperature=tau, base_temperature=tau0, reduction='none'
    )
    ce = F.cross_entropy(given['preds_S'][::rotations], given['gt_labels'][::rotations], reduction='none')
    previews = preview_weights(ce, epoch=epoch, base=base)
    return weight * sum(previews[n // rotations] * losses[n] for n in range(len(losses))) / len(losses)


@pytest.mark.parametrize(
    ('options', 'names'),
    [
        ({}, {}),
        (dict(temperature=1.0), dict(tau=1.0)),
        (dict(base_temperature=1.0), dict(tau0=1.0)),
        (dict(preview_base=5.0), dict(base=5.0)),
        (dict(num_rotations=4), dict(rotations=4)),
        (dict(loss_weight=1.0), dict(weight=1.0)),
    ],
    ids=str,
)
def test_is_the_weighted_function_and_every_argument_acts(options, names):
    given = draw(rotations=4)
    module = MODELS.build(dict(type='icckd_mm.CategoryCenterContrastiveLoss', student_dims=4, teacher_dims=7, **options))
    loss = module(**given)
    torch.testing.assert_close(loss, expected_loss(module, given, **names))
    assert not names or not torch.isclose(loss, expected_loss(module, given))


def test_the_epoch_comes_from_the_runner(hub):
    given, module = draw(), CategoryCenterContrastiveLoss(4, 7)
    for epoch in (1, 240):
        hub.update_info('epoch', epoch - 1)  # a runner counts from 0
        torch.testing.assert_close(module(**given), expected_loss(module, given, epoch=epoch))
    assert not torch.isclose(module(**given), expected_loss(module, given, epoch=1))


def test_gradient_reaches_student_and_embeddings_only():
    given, module = draw(), CategoryCenterContrastiveLoss(4, 7)
    module(**given).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())
    assert given['s_feature'].grad.abs().sum() > 0
    assert given['s_centers'].grad.abs().sum() > 0
    assert given['t_centers'].grad is None
    assert given['preds_S'].grad is None


def test_gradcheck_through_the_module():
    given, module = draw(3), CategoryCenterContrastiveLoss(4, 7).double()
    tensors = [given[name].detach().double().requires_grad_() for name in ('s_feature', 's_centers')]
    fixed = (given['t_centers'].double(), given['preds_S'].double(), given['gt_labels'])
    assert torch.autograd.gradcheck(lambda f, c: module(f, c, *fixed), tensors)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype):
    given, module = draw(), CategoryCenterContrastiveLoss(4, 7)
    halves = {name: x.detach().to(dtype) if x.is_floating_point() else x for name, x in given.items()}
    raised = {name: x.float() if x.is_floating_point() else x for name, x in halves.items()}
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = module(**halves)
    torch.testing.assert_close(loss, module(**raised))


def test_the_function_compiles_without_graph_break_and_the_module_follows_the_epoch(hub):
    given, module = draw(4, rotations=2), CategoryCenterContrastiveLoss(4, 7, num_rotations=2)
    compiled = torch.compile(category_center_contrastive_loss, fullgraph=True, backend='aot_eager')
    scores = (given['preds_S'], given['preds_S'].detach() / 2, given['gt_labels'])
    torch.testing.assert_close(compiled(*scores), category_center_contrastive_loss(*scores))
    compiled = torch.compile(module, backend='aot_eager')
    for epoch in (0, 239):
        hub.update_info('epoch', epoch)
        torch.testing.assert_close(compiled(**given), expected_loss(module, given, rotations=2, epoch=epoch + 1))


def test_an_empty_batch_is_zero_with_a_gradient_path():
    loss = CategoryCenterContrastiveLoss(4, 7)(**draw(0))
    assert float(loss.detach()) == 0
    assert loss.requires_grad


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(s_feature=torch.zeros(6, 5)), 's_feature has width 5, but 4'),
        (dict(s_centers=torch.zeros(3, 5)), 's_centers has width 5, but 4'),
        (dict(t_centers=torch.zeros(3, 5)), 't_centers has width 5, but 7'),
        (dict(t_centers=torch.zeros(2, 7)), r'\(6, 3\) and \(6, 2\)'),
        (dict(preds_S=torch.zeros(5, 3)), r'gt_labels must have shape \(5,\)'),
        (dict(gt_labels=torch.full((6,), 3)), r'\[0, 3\)'),
    ],
)
def test_bad_tensors_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        CategoryCenterContrastiveLoss(4, 7)(**{**draw(), **changes})


@pytest.mark.parametrize(
    'options',
    [
        dict(student_dims=0),
        dict(teacher_dims=0),
        dict(temperature=0.0),
        dict(base_temperature=-1.0),
        dict(preview_base=0.0),
        dict(num_rotations=0),
        dict(loss_weight=-1.0),
    ],
    ids=str,
)
def test_bad_arguments_are_named(options):
    (name,) = options
    with pytest.raises(ValueError, match=f'{name} must be'):
        CategoryCenterContrastiveLoss(**{'student_dims': 4, 'teacher_dims': 7, **options})


@pytest.mark.parametrize(
    ('options', 'tau', 'base', 'rotations', 'weight'),
    [
        ({}, 4.0, 1.005, 1, 0.9),
        (dict(temperature=1.0), 1.0, 1.005, 1, 0.9),
        (dict(preview_base=5.0), 4.0, 5.0, 1, 0.9),
        (dict(num_rotations=2), 4.0, 1.005, 2, 0.9),
        (dict(loss_weight=0.1), 4.0, 1.005, 1, 0.1),
    ],
    ids=str,
)
def test_preview_kl_divergence_is_the_weighted_sum_over_first_views(options, tau, base, rotations, weight):
    student, teacher = 3 * torch.randn(8, 3), torch.randn(8, 3)
    labels = torch.tensor([0, 1, 2, 0]).repeat_interleave(2)
    loss = MODELS.build(dict(type='icckd_mm.PreviewKLDivergence', **options))(
        preds_S=student, preds_T=teacher, gt_labels=labels
    )
    student, teacher, labels = student[::rotations], teacher[::rotations], labels[::rotations]
    previews = preview_weights(F.cross_entropy(student, labels, reduction='none'), epoch=1, base=base)
    terms = soft_label_divergence(student, teacher, temperature=tau, reduction='none')
    torch.testing.assert_close(loss, weight * (previews * terms).mean())


@pytest.mark.parametrize(
    'options', [dict(temperature=0.0), dict(preview_base=0.0), dict(num_rotations=0), dict(loss_weight=math.inf)], ids=str
)
def test_bad_arguments_of_the_soft_labels_are_named(options):
    (name,) = options
    with pytest.raises(ValueError, match=f'{name} must be'):
        PreviewKLDivergence(**options)


def test_alignments_are_the_weighted_functions():
    student, teacher, bias = torch.randn(3, 4), torch.randn(3, 4), torch.randn(3)
    for weight in (1.0, 20.0):
        torch.testing.assert_close(
            FeatureAlignmentLoss(weight)(s_feature=student, t_feature=teacher),
            weight * feature_alignment_loss(student, teacher),
        )
        loss = CenterAlignmentLoss(weight)(s_centers=student, s_bias=bias, t_centers=teacher, t_bias=bias + 1)
        torch.testing.assert_close(loss, weight * center_alignment_loss(student, bias, teacher, bias + 1))
    assert (FeatureAlignmentLoss().loss_weight, CenterAlignmentLoss().loss_weight) == (20.0, 1.0)
    for kind in (FeatureAlignmentLoss, CenterAlignmentLoss):
        with pytest.raises(ValueError, match='loss_weight must be'):
            kind(loss_weight=-1.0)


def test_first_view_cross_entropy_sees_the_upright_views_alone():
    logits, labels = torch.randn(8, 3, requires_grad=True), torch.tensor([2, 0]).repeat_interleave(4)
    loss = MODELS.build(dict(type='icckd_mm.FirstViewCrossEntropyLoss', loss_weight=0.5))(logits, labels, avg_factor=8)
    torch.testing.assert_close(loss, 0.5 * F.cross_entropy(logits[[0, 4]], labels[[0, 4]]))
    torch.testing.assert_close(FirstViewCrossEntropyLoss()(logits, labels), 2 * loss)
    loss.backward()
    assert logits.grad.abs().sum(1).nonzero().flatten().tolist() == [0, 4]
    pairs = FirstViewCrossEntropyLoss(num_rotations=2)(logits, labels)
    torch.testing.assert_close(pairs, F.cross_entropy(logits[::2], labels[::2]))
    with pytest.raises(ValueError, match='7 rows are not 4 views'):
        FirstViewCrossEntropyLoss()(logits[:7], labels[:7])
    with pytest.raises(ValueError, match='num_rotations must be'):
        FirstViewCrossEntropyLoss(num_rotations=0)
