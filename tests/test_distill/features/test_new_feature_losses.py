"""Losses of features and of relations that mmrazor lacks: values worked out by hand, gradients, precision, compiler.

``sine(shape)`` is sin(1), sin(2), … for the student and the cosines for the teacher, row by row.
"""

import copy
import math

import pytest
import torch
from mmengine.registry import MODELS

import icckd_mm  # noqa: F401
from icckd_mm import functional
from icckd_mm.distill.losses.features.attention_fusion import AttentionFusion


def sine(*shape):
    numbers = torch.arange(1, math.prod(shape) + 1, dtype=torch.float64)
    return numbers.sin().view(shape), numbers.cos().view(shape)


ROWS, MAPS, LARGER = (4, 4), (2, 2, 2, 2), (2, 2, 4, 4)


def loss(name, **options):
    return MODELS.build(dict(type=f'icckd_mm.{name}', **options)).double()


def vid(**options):
    return loss('VIDLoss', student_channels=2, teacher_channels=2, **options)


def direct_vid(**options):
    """The student's map is the prediction."""
    module = vid(**options)
    module.regressor = torch.nn.Identity()
    return module


def reviewkd(**options):
    return Levels(loss('ReviewKDLoss', student_channels=(2, 2, 2), teacher_channels=(2, 2, 2), **options))


class Levels(torch.nn.Module):
    """Two maps and pooled features, all from one."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, student, teacher):
        rows = student[..., 0, 0], teacher[..., 0, 0]
        pairs = [(student, torch.nn.functional.interpolate(teacher, scale_factor=2)), (student[..., ::2, ::2], teacher), rows]
        return self.module(**{f'{who}{n}': x for n, pair in enumerate(pairs, 1) for who, x in zip('st', pair)})


LOGITS = (2, 3)
LABELS = torch.tensor([0, 2])


def ofa(**options):
    module = loss('OFALoss', **options)
    return Labelled(module)


class Labelled(torch.nn.Module):
    """A loss of logits with fixed labels."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, student, teacher):
        return self.module(student, teacher, LABELS)


# a loss, the shape of its features, its value without weight
CASES = {
    'sp rows': (lambda **options: loss('SPLoss', **options), ROWS, 0.02707659),
    'sp': (lambda **options: loss('SPLoss', **options), MAPS, 0.00391259),
    'pkt': (lambda **options: loss('PKTLoss', **options), ROWS, 0.00777614),
    'cc': (lambda **options: loss('CCLoss', **options), ROWS, 3.05177517),
    'nst': (lambda **options: loss('NSTLoss', **options), MAPS, 0.80999810),
    'vid': (direct_vid, MAPS, 0.90266311),
    'simkd': (lambda **options: loss('SimKDLoss', **options), MAPS, 0.97944154),
    'wkd-f, ratio 2': (lambda **options: loss('WKDFeatureLoss', mean_ratio=2.0, **options), MAPS, 1.14394687),
    'wkd-f': (lambda **options: loss('WKDFeatureLoss', mean_ratio=4.0, **options), MAPS, 2.12548467),
    'wkd-f, grid': (lambda **options: loss('WKDFeatureLoss', grid=2, **options), LARGER, None),
}
LAYERED = {
    'ofa': (lambda **options: ofa(eps=1.5, **options), LOGITS, None),
    'vid with layers': (vid, MAPS, None),
    'reviewkd': (reviewkd, LARGER, None),
}
PUBLISHED_WEIGHTS = {'sp': 3000, 'pkt': 30000, 'cc': 0.02, 'nst': 50, 'vid': 1}


@pytest.mark.parametrize('name', [name for name, case in CASES.items() if case[2] is not None])
def test_the_value_is_the_one_worked_out(name):
    make, shape, expected = CASES[name]
    assert make(loss_weight=1.0)(*sine(*shape)).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('name', PUBLISHED_WEIGHTS)
def test_the_default_weight_is_the_published_one(name):
    make, shape, expected = CASES[name]
    assert make()(*sine(*shape)).item() == pytest.approx(PUBLISHED_WEIGHTS[name] * expected, rel=1e-5)


@pytest.mark.parametrize('name', [*CASES, *LAYERED])
def test_gradients_are_those_of_finite_differences(name):
    make, shape, _ = CASES[name] if name in CASES else LAYERED[name]
    student, teacher = sine(*shape)
    module = make(loss_weight=1.0)
    inputs = (student.requires_grad_(), *module.parameters())
    assert torch.autograd.gradcheck(lambda features, *_: module(features, teacher), inputs)


@pytest.mark.parametrize('name', [*CASES, *LAYERED])
def test_half_precision_is_raised_and_autocast_is_off_where_digits_cancel(name):
    make, shape, _ = CASES[name] if name in CASES else LAYERED[name]
    module, batch = make(loss_weight=1.0).float(), [x.to(torch.bfloat16) for x in sine(*shape)]
    expected = module(*(x.float() for x in batch))
    value = module(*batch)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, expected)
    with torch.autocast('cpu', torch.bfloat16):
        value = module(*batch)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, expected, rtol=0.02 if list(module.parameters()) else 1e-6, atol=0)


@pytest.mark.parametrize('name', [*CASES, *LAYERED])
def test_the_compiler_sees_one_piece_with_the_same_results(name):
    make, shape, _ = CASES[name] if name in CASES else LAYERED[name]
    module, (student, teacher) = make(loss_weight=2.0), sine(*shape)
    twin, results = copy.deepcopy(module), []
    torch._dynamo.reset()
    for form in (twin, torch.compile(module, fullgraph=True, backend='aot_eager')):
        features = student.clone().requires_grad_()
        value = form(features, teacher)
        results.append([value, *torch.autograd.grad(value, [features, *form.parameters()])])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize('name', ['SPLoss', 'PKTLoss', 'CCLoss'])
def test_a_batch_of_one_image_has_no_relation_and_a_zero_gradient(name):
    features = torch.randn(1, 4, requires_grad=True)
    value = loss(name)(features, torch.randn(1, 4))
    value.backward()
    assert value.abs() < 1e-8
    assert features.grad.abs().max() < 1e-8


@pytest.mark.parametrize('name', ['SPLoss', 'PKTLoss', 'NSTLoss'])
def test_a_dead_image_or_channel_has_a_finite_gradient(name):
    student = torch.zeros(3, 2, 2, 2, requires_grad=True)
    loss(name, loss_weight=1.0)(student, torch.randn(3, 2, 2, 2)).backward()
    assert student.grad.isfinite().all()
    assert student.grad.abs().max() < 100


@pytest.mark.parametrize('name', ['SPLoss', 'PKTLoss', 'CCLoss', 'NSTLoss'])
def test_the_same_features_give_0(name):
    features, _ = sine(*(MAPS if name == 'NSTLoss' else ROWS))
    assert loss(name)(features, features).abs() < 1e-9


@pytest.mark.parametrize('name', ['NSTLoss', 'VIDLoss'])
def test_a_larger_map_is_averaged_to_the_size_of_the_smaller(name):
    small, large = sine(*MAPS)[0], sine(*LARGER)[1]
    pooled = torch.nn.functional.avg_pool2d(large, 2)
    module = vid() if name == 'VIDLoss' else loss(name)
    torch.testing.assert_close(module(small, large), module(small, pooled))
    torch.testing.assert_close(module(large, small), module(pooled, small))


def test_nst_of_one_position_is_refused():
    with pytest.raises(ValueError, match=r'NST compares places of a map, .* share a single one'):
        loss('NSTLoss')(torch.randn(2, 3, 1, 1), torch.randn(2, 3, 4, 4))


@pytest.mark.parametrize('name', ['SPLoss', 'PKTLoss', 'CCLoss', 'NSTLoss'])
def test_different_batches_and_other_kinds_are_refused(name):
    maps = torch.randn(3, 2, 2, 2) if name == 'NSTLoss' else torch.randn(3, 4)
    with pytest.raises(ValueError, match=r'\b3\b.*\b2\b'):
        loss(name)(maps, maps[:2])
    with pytest.raises(TypeError, match='floating-point'):
        loss(name)(maps, maps.long())


def test_variances_start_at_5_and_are_trained():
    module = vid()
    assert module.variances().tolist() == pytest.approx([5, 5])
    assert module.scales.tolist() == pytest.approx([4.99322918] * 2)
    module(*sine(*MAPS)).backward()
    assert all(weight.grad.abs().sum() > 0 for weight in module.parameters())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(student_channels=0), 'student_channels must'),
        (dict(teacher_channels=1.5), 'teacher_channels must'),
        (dict(initial_variance=1e-6), 'initial_variance - eps must'),
        (dict(eps=0.0), 'eps must'),
        (dict(loss_weight=-1.0), 'loss_weight must'),
    ],
)
def test_vid_names_what_is_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        vid(**options) if not options.keys() & {'student_channels', 'teacher_channels'} else loss(
            'VIDLoss', **{'student_channels': 2, 'teacher_channels': 2, **options}
        )


def test_vid_names_shapes_that_do_not_fit():
    maps = torch.zeros(2, 3, 2, 2)
    with pytest.raises(ValueError, match='a variance per channel'):
        functional.variational_information_loss(maps, maps, torch.ones(2))


def test_statistics_of_a_grid_are_those_of_its_cells():
    student, teacher = sine(2, 3, 5, 4)  # a side of 5 has overlapping cells, as in adaptive pooling
    cells = [(slice(top, top + 3), slice(left, left + 2)) for top in (0, 2) for left in (0, 2)]
    expected = sum(
        functional.gaussian_distance_loss(student[:, :, rows, columns], teacher[:, :, rows, columns]) for rows, columns in cells
    )
    assert functional.gaussian_distance_loss(student, teacher, grid=2).item() == pytest.approx(expected.item() / 4)
    assert functional.gaussian_distance_loss(student, teacher, mean_ratio=0.0).item() == pytest.approx(
        sum((s.std() - t.std()) ** 2 for s, t in zip(student.flatten(0, 1), teacher.flatten(0, 1))).item() / 2, rel=1e-3
    )


def test_a_deviation_needs_two_places_and_one_shape():
    maps = torch.randn(2, 3, 2, 2)
    with pytest.raises(ValueError, match='each of 2x2 cells needs two places'):
        loss('WKDFeatureLoss', grid=2)(maps, maps)
    with pytest.raises(ValueError, match=r'WKD-F compares element by element, .* add a connector'):
        loss('WKDFeatureLoss')(maps, torch.randn(2, 4, 2, 2))
    for options, message in ((dict(grid=0), 'grid must'), (dict(mean_ratio=-1.0), 'mean_ratio must')):
        with pytest.raises(ValueError, match=message):
            loss('WKDFeatureLoss', **options)


@pytest.mark.parametrize(('eps', 'expected'), [(1.0, 0.45032421), (1.5, 0.50898175), (2.0, 0.75365576)])
def test_ofa_is_the_value_worked_out(eps, expected):
    student, teacher = torch.tensor([[2.0, 1, 0], [0, 1, 3]]).double(), torch.tensor([[3.0, 1, -1], [1, 0, 4]]).double()
    assert loss('OFALoss', eps=eps)(student, teacher, LABELS).item() == pytest.approx(expected, abs=1e-6)
    scores = torch.tensor([[0.6, 0.4, 0], [0, 0.3, 0.7]]).double()
    assert loss('OFALoss', eps=eps, loss_weight=2.0)(student, teacher, scores).item() == pytest.approx(2 * expected, abs=2e-6)


def test_ofa_names_what_does_not_fit():
    logits = torch.randn(2, 3)
    with pytest.raises(ValueError, match='eps must'):
        loss('OFALoss', eps=0.0)
    with pytest.raises(TypeError, match='labels must be an integer tensor'):
        loss('OFALoss')(logits, logits, torch.rand(2, 4))
    with pytest.raises(ValueError, match=r'labels must lie in \[0, 3\)'):
        loss('OFALoss')(logits, logits, torch.tensor([0, 3]))


@pytest.mark.parametrize('downsamples', [0, 1, 3])
def test_a_head_doubles_channels_and_halves_sides_to_the_teachers_width(downsamples):
    head = loss('OFAConvHead', in_channels=4, downsamples=downsamples, dim=24, num_classes=5)
    maps = torch.randn(2, 4, 8, 8).double()
    assert head(maps).shape == (2, 5)
    assert head.layers(maps).shape == (2, 24, *[8 // 2**downsamples] * 2)
    widths = [layer[-3].out_channels for layer in head.layers] if downsamples else [head.layers[0].out_channels]
    assert widths == [8, 16, 24][-downsamples:] if downsamples > 1 else widths == [24]
    assert head.classifier.bias.abs().sum() == 0
    assert head.classifier.weight.std() < 0.03


@pytest.mark.parametrize('options', [dict(in_channels=0), dict(downsamples=-1), dict(dim=0), dict(num_classes=0)])
def test_a_head_names_what_is_out_of_range(options):
    with pytest.raises(ValueError, match=f'{next(iter(options))} must'):
        loss('OFAConvHead', **{**dict(in_channels=4, downsamples=1, dim=4, num_classes=2), **options})


def checkerboard(side):
    places = torch.arange(side)
    return ((-1.0) ** (places[:, None] + places)).double()[None, None]


@pytest.mark.parametrize(('side', 'expected'), [(16, 0.53333333), (8, 0.53333333), (4, 0.57142857), (2, 2 / 3), (1, 1.0)])
def test_context_of_a_checkerboard(side, expected):
    """Every average of it is 0, so the value is the weight of the map as it is."""
    board = checkerboard(side)
    assert functional.hierarchical_context_loss(board, 0 * board).item() == pytest.approx(expected, abs=1e-6)
    assert functional.hierarchical_context_loss(0 * board, torch.ones_like(board)).item() == pytest.approx(1)


def test_context_of_a_map_is_the_value_worked_out():
    assert functional.hierarchical_context_loss(*sine(1, 1, 8, 8)).item() == pytest.approx(0.62970893, abs=1e-6)


def test_a_fusion_without_preference_is_the_mean_of_both():
    fusion = AttentionFusion(3, 2, 5, deepest=False).double().eval()
    torch.nn.init.zeros_(fusion.attention.weight)
    torch.nn.init.zeros_(fusion.attention.bias)
    features, deeper = torch.randn(2, 3, 4, 4).double(), torch.randn(2, 2, 2, 2).double()
    output, review = fusion(features, deeper, (8, 8))
    own = torch.einsum('oi,bihw->bohw', fusion.reduce[0].weight[:, :, 0, 0], features) / math.sqrt(1 + 1e-5)
    torch.testing.assert_close(review, (own + deeper.repeat_interleave(2, 2).repeat_interleave(2, 3)) / 2)
    torch.testing.assert_close(output, fusion.expand(review.repeat_interleave(2, 2).repeat_interleave(2, 3)))
    assert output.shape == (2, 5, 8, 8)


def test_reviews_have_the_published_number_of_parameters():
    widths = [64, 128, 256, 256]
    module = loss('ReviewKDLoss', student_channels=widths, teacher_channels=widths)
    assert sum(parameter.numel() for parameter in module.parameters()) == 1_808_774
    wide = loss('ReviewKDLoss', student_channels=[12, 1280], teacher_channels=[128, 512])
    assert wide.fusions[0].reduce[0].out_channels == 512


def test_reviewkd_names_levels_that_do_not_fit():
    for student, teacher in (((2, 2), (2,)), ((2,), (2,)), ((1,) * 6, (1,) * 6)):
        with pytest.raises(ValueError, match='must have one length from 2 to 5'):
            loss('ReviewKDLoss', student_channels=student, teacher_channels=teacher)
    with pytest.raises(ValueError, match='each of teacher_channels must be an integer'):
        loss('ReviewKDLoss', student_channels=(2, 2), teacher_channels=(2, 0))
    maps = torch.randn(2, 2, 4, 4).double()
    with pytest.raises(ValueError, match='widths for 2 levels, got 2 of the student and 3 of the teacher'):
        loss('ReviewKDLoss', student_channels=(2, 2), teacher_channels=(2, 2))(maps, maps, maps, maps, t3=maps)


RELATIONS = ('similarity_preserving_loss', 'probabilistic_transfer_loss', 'correlation_congruence_loss')


def averaged_gradients(rank_batches):
    """What DDP would give: the mean over processes of the gradient of each relation."""
    rank = torch.distributed.get_rank()
    student, teacher = rank_batches[rank]
    weight = torch.eye(4, dtype=torch.float64, requires_grad=True)
    found = {}
    for name in RELATIONS:
        (gradient,) = torch.autograd.grad(getattr(functional, name)(student @ weight, teacher), weight)
        torch.distributed.all_reduce(gradient)
        found[name] = gradient / torch.distributed.get_world_size()
    return found


def test_relations_stay_within_a_process(processes):
    """Two processes give the mean of two batches, not the relations of the joined one."""
    student, teacher = sine(8, 4)
    batches = list(zip(student.split(4), teacher.split(4)))
    first, second = processes.run(averaged_gradients, batches)
    weight = torch.eye(4, dtype=torch.float64, requires_grad=True)
    for name in RELATIONS:
        function = getattr(functional, name)
        value = sum(function(s @ weight, t) for s, t in batches) / 2
        torch.testing.assert_close(first[name], torch.autograd.grad(value, weight)[0])
        torch.testing.assert_close(second[name], first[name])
        joined = torch.autograd.grad(function(student @ weight, teacher), weight)[0]
        assert not torch.allclose(first[name], joined, rtol=1e-3)
