"""20,000 classes: what grows with them is the queue and the last layer, not a table of all pairs."""

import resource

import pytest
import torch

from icckd_mm.functional import class_geometry
from icckd_mm.lab.measures.soft_labels import logit_difference, soft_labels
from icckd_mm.models import IntraClassContrastiveLoss
from tests.helpers import CONV, ICC, train

C, D, K = 20_000, 4, 2
MEGABYTE = 2**20


@pytest.fixture
def little_memory():
    """The test takes less than 200 MB; a table of all pairs would take 1,600."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 200 * MEGABYTE


def test_a_step_takes_the_memory_of_its_queue(little_memory):
    loss = IntraClassContrastiveLoss(num_classes=C, feat_dims=D, queue_size=K, margin=-1.0)
    assert sum(value.nbytes for name, value in loss.named_buffers() if name.endswith('queue')) == 4 * C * K * D
    labels = torch.arange(64) * 312
    for _ in range(2):
        features = torch.randn(64, D, requires_grad=True)
        loss(features, torch.randn(64, D), torch.randn(64, C), labels).backward()
    assert features.grad.isfinite().all()


def test_the_geometry_has_no_table_of_pairs(little_memory):
    found = class_geometry(torch.randn(2 * C, D), torch.arange(C).repeat(2))
    assert 0 < found['ratio'] < 2


def test_a_training_is_saved_and_goes_on(tmp_path, little_memory):
    model = {**CONV, 'head': {**CONV['head'], 'num_classes': C}}
    train(tmp_path, model, hooks=[ICC])
    runner, _ = train(tmp_path, model, hooks=[ICC], epochs=2, resume=True)
    assert runner.iter == 8
    assert (tmp_path / 'epoch_2.pth').stat().st_size < 10 * MEGABYTE


def test_tables_of_soft_labels_are_refused_in_one_line(little_memory):
    logits, labels = torch.zeros(2, C), torch.tensor([0, 1])
    for measure in (lambda: soft_labels(logits, labels), lambda: logit_difference(logits, logits, labels)):
        with pytest.raises(ValueError, match=r'^tables of 20000 x 20000 soft labels are not made, .* --only curves features'):
            measure()
