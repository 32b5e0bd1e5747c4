import pytest
import torch
import torch.distributed as dist

from icckd_mm.functional import class_mean_predictions, mcmi_loss
from icckd_mm.models import MCMILoss
from icckd_mm.registry import MODELS


def draw(batch=12, classes=3):
    return torch.randn(batch, classes, requires_grad=True), torch.arange(batch) % classes


def test_the_first_batches_are_averaged_and_then_a_moving_mean_goes_on():
    """Updates 1 and 2 weigh 1 and 1/2, the third 1 - momentum; the batch is in the means of its own loss."""
    module, means = MCMILoss(3, momentum=0.6), torch.zeros(3, 3)
    for rate in (1, 0.5, 0.4, 0.4):
        logits, labels = draw()
        loss = module(logits, labels)
        means = means + rate * (class_mean_predictions(logits, labels) - means)
        torch.testing.assert_close(module.means, means)
        torch.testing.assert_close(loss, mcmi_loss(logits, labels, means))
    assert module.updates.tolist() == [4, 4, 4]


def test_a_class_without_images_keeps_its_mean():
    module = MCMILoss(3)
    logits, _ = draw()
    module(logits, torch.zeros(12, dtype=torch.long))
    assert module.updates.tolist() == [1, 0, 0]
    assert module.means[1:].abs().max() == 0
    first = module.means[0].clone()
    module(logits, torch.ones(12, dtype=torch.long))
    assert torch.equal(module.means[0], first)


def test_evaluation_updates_nothing():
    module = MCMILoss(3).eval()
    logits, labels = draw()
    torch.testing.assert_close(module(logits, labels), torch.nn.functional.cross_entropy(logits, labels))
    assert module.updates.sum() == 0


@pytest.mark.parametrize('change', [dict(momentum=0.0), dict(kl_weight=1.0), dict(loss_weight=0.5)], ids=str)
def test_every_argument_acts(change):
    batches = [draw() for _ in range(3)]

    def last_loss(**options):
        module = MODELS.build(dict(type='icckd_mm.MCMILoss', num_classes=3, **options))
        return [module(*batch) for batch in batches][-1]

    value, changed = last_loss(), last_loss(**change)
    assert not torch.isclose(value, changed)
    if 'loss_weight' in change:
        torch.testing.assert_close(changed, value / 2)
    if 'momentum' in change:
        torch.testing.assert_close(changed, mcmi_loss(*batches[-1], class_mean_predictions(*batches[-1])))


def test_the_heads_average_factor_counts():
    logits, labels = draw()
    module = MCMILoss(3).eval()
    torch.testing.assert_close(module(logits, labels, avg_factor=24), module(logits, labels) / 2)


def test_state_round_trip_gives_the_same_next_loss_to_the_bit():
    module, twin, batch = MCMILoss(3), MCMILoss(3), draw()
    module(*draw())
    twin.load_state_dict(module.state_dict())
    assert sorted(module.state_dict()) == ['means', 'updates']
    assert torch.equal(module(*batch), twin(*batch))
    assert not list(module.parameters())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_classes=0), 'num_classes must be'),
        (dict(momentum=1.0), r'momentum must lie in \[0, 1\), got 1.0'),
        (dict(momentum=-0.1), 'momentum'),
        (dict(kl_weight=-1.0), 'kl_weight must be'),
        (dict(loss_weight=-1.0), 'loss_weight must be'),
    ],
    ids=str,
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        MCMILoss(**{'num_classes': 3, **options})


def test_bad_tensors_are_named_before_the_means_change():
    module = MCMILoss(3)
    logits, labels = draw()
    with pytest.raises(ValueError, match='cls_score has 4 classes, the loss was built with num_classes=3'):
        module(torch.zeros(12, 4), labels)
    with pytest.raises(TypeError, match='soft or mixed labels'):
        module(logits, torch.zeros(12, 3))
    with pytest.raises(ValueError, match=r'\[0, 3\)'):
        module(logits, labels + 1)
    assert module.updates.sum() == 0


def half(logits, labels):
    """Loss and means of a rank that sees half of each batch."""
    module = MCMILoss(3)
    rows = slice(6 * dist.get_rank(), 6 * dist.get_rank() + 6)
    loss = [module(one[rows], labels[rows]) for one in logits][-1]
    return float(loss), module.means


def test_two_processes_have_the_means_of_the_joined_batch(processes):
    logits, labels = [draw()[0].detach() for _ in range(3)], torch.arange(12) % 3
    found = processes.run(half, logits, labels)
    module = MCMILoss(3)
    loss = [module(one, labels) for one in logits][-1]
    for _, means in found:
        torch.testing.assert_close(means, module.means)
    assert sum(value for value, _ in found) / 2 == pytest.approx(float(loss), rel=1e-5)
