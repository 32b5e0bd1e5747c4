"""CRD: the formula in float64, its memory and draws, bounded temporaries, and a real run."""

import copy
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from mmengine.registry import DATASETS, MODELS
from mmpretrain.structures import DataSample

from icckd_mm.distill.losses import CRDLoss
from icckd_mm.distill.losses.relations import crd
from icckd_mm.distill.losses.relations.crd_memory import draw_negatives
from tests.helpers import train
from tests.test_distill.cases import CRD, algorithm, weights

ROOT = Path(__file__).parents[2]
SMALL = dict(neg_num=6, sample_n=20, dim_out=4)


def unit(rows):
    return torch.nn.functional.normalize(rows, dim=1)


def samples(index, labels):
    return [DataSample(metainfo=dict(sample_idx=i)).set_gt_label(y) for i, y in zip(index, labels)]


def their_samples(index, chosen=None):
    made = []
    for row, i in enumerate(index):
        sample = DataSample()
        sample.sample_idx = torch.tensor(i)
        if chosen is not None:
            sample.contrast_sample_idxs = chosen[row]
        made.append(sample)
    return made


def formula(rows, memory, chosen, scale, temperature, eps):
    """Eq. 17 to 19 with loops."""
    noise, total = (chosen.size(1) - 1) / len(memory), 0.0
    for row, places in zip(rows.tolist(), chosen.tolist()):
        for k, place in enumerate(places):
            p = math.exp(sum(a * b for a, b in zip(row, memory[place].tolist())) / temperature) / scale
            total -= math.log((p if k == 0 else noise) / (p + noise + eps))
    return total / len(rows)


@pytest.mark.parametrize('elements', [1, 2 * 7 * 4, 2**24])
def test_value_and_gradient_are_the_formulas_and_upstreams_without_its_weight(monkeypatch, elements):
    monkeypatch.setattr(crd, 'ELEMENTS', elements)
    chosen = torch.randint(20, (5, 7))
    chosen[:, 0] = torch.arange(5)
    monkeypatch.setattr(crd, 'draw_negatives', lambda known, labels, count: chosen[:, 1:])
    mine, other = CRDLoss(**SMALL, loss_weight=0.3), MODELS.build(dict(type='mmrazor.CRDLoss', **SMALL, loss_weight=0.3))
    mine.memory.student.copy_(other.contrast.memory_v1)
    mine.memory.teacher.copy_(other.contrast.memory_v2)
    before = copy.deepcopy(mine.memory)
    results = []
    for loss, data in ((mine, samples(range(5), range(5))), (other, their_samples(range(5), chosen))):
        torch.manual_seed(1)
        raw = [torch.randn(5, 4).requires_grad_() for _ in range(2)]
        rows = [unit(row) for row in raw]  # as a connector does
        value = loss(*rows, data)
        value.sum().backward()
        results.append((value.detach(), [row.grad for row in raw], rows))
    (value, grads, rows), (upstream, their_grads, _) = results
    assert value.shape == ()
    assert upstream.shape == (1,)
    torch.testing.assert_close(value, 0.3 * upstream[0])  # mmrazor has no loss_weight in effect
    for grad, their_grad in zip(grads, their_grads):
        torch.testing.assert_close(grad, 0.3 * their_grad)
    pairs = ((rows[0], before.teacher), (rows[1], before.student))
    expected = sum(formula(r, m, chosen, float(scale), 0.07, 1e-7) for (r, m), scale in zip(pairs, mine.scale))
    assert value.item() == pytest.approx(0.3 * expected, rel=1e-4)
    torch.testing.assert_close(mine.memory.student, other.contrast.memory_v1)
    torch.testing.assert_close(mine.memory.teacher, other.contrast.memory_v2)


def test_every_argument_has_its_effect():
    def value(**options):
        torch.manual_seed(3)
        loss = CRDLoss(**{**SMALL, **options})
        return [loss(unit(torch.randn(5, 4)), unit(torch.randn(5, 4)), samples(range(5), range(5))).item() for _ in range(2)]

    base = value()
    assert value(loss_weight=2.0) == pytest.approx([2 * x for x in base])
    for options in (dict(temperature=0.5), dict(neg_num=12), dict(eps=1.0)):
        assert value(**options)[0] != pytest.approx(base[0])
    assert value(momentum=0.0)[0] == base[0]
    assert value(momentum=0.0)[1] != base[1]


def test_draws_are_uniform_over_other_classes_however_unbalanced():
    known = torch.tensor([0] * 3 + [1] * 90 + [2] * 7 + [-1] * 20)[torch.randperm(120)]
    labels = torch.tensor([0, 1, 2, 1])
    drawn = draw_negatives(known, labels, 40_000)
    for row, label in zip(drawn, labels):
        counts = row.bincount(minlength=120)
        assert (counts[known == label] == 0).all()
        rest = counts[known != label]
        assert (rest - 40_000 / len(rest)).abs().max() < 6 * (40_000 / len(rest)) ** 0.5


def test_one_class_alone_has_no_negatives():
    with pytest.raises(ValueError, match='no image of another class'):
        draw_negatives(torch.zeros(5, dtype=torch.long), torch.zeros(2, dtype=torch.long), 3)


def test_upstreams_wrapper_fails_on_unbalanced_classes():
    """Which is why the loss draws by itself."""
    options = dict(neg_num=4, percent=1.0, num_classes=10, dataset=dict(type='icckd_mm.Digits', indices=50))
    with pytest.raises(ValueError, match='inhomogeneous'):
        DATASETS.build(dict(type='mmrazor.CRDDataset', **options))


def test_memory_labels_and_scale_survive_a_checkpoint():
    first, second = CRDLoss(**SMALL), CRDLoss(**SMALL)
    rows = unit(torch.randn(5, 4)), unit(torch.randn(5, 4))
    first(*rows, samples(range(5), range(5)))
    second.load_state_dict(first.state_dict())
    assert sorted(first.state_dict()) == ['memory.labels', 'memory.student', 'memory.teacher', 'scale']
    assert first.memory.labels.tolist() == [0, 1, 2, 3, 4] + [-1] * 15
    values = []
    for loss in (first, second):
        torch.manual_seed(5)
        values.append(loss(*rows, samples(range(5), range(5))).item())
    assert values[0] == values[1]


def test_evaluation_leaves_the_memory():
    loss = CRDLoss(**SMALL).eval()
    before = loss.memory.student.clone()
    loss(unit(torch.randn(5, 4)), unit(torch.randn(5, 4)), samples(range(5), range(5)))
    assert torch.equal(loss.memory.student, before)


def test_rows_of_any_length_are_finite():
    value = CRDLoss(**SMALL)(1e4 * torch.randn(5, 4), torch.zeros(5, 4), samples(range(5), range(5)))
    assert value.isfinite()


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (samples([0, 20], [0, 1]), r'sample_idx runs from 0 to 20, sample_n=20'),
        ([DataSample().set_gt_label(0)] * 2, r'PackInputs'),
        (samples([0], [0]), '1 data samples for 2 rows'),
    ],
)
def test_data_samples_that_do_not_fit_are_named(data, message):
    with pytest.raises(ValueError, match=message):
        CRDLoss(**SMALL)(torch.randn(2, 4), torch.randn(2, 4), data)


PEAK = """
import resource, torch
import icckd_mm
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
torch.nn.Linear(8, 8)(torch.randn(8, 8)).sum().backward()
crd, angles = (MODELS.build(dict(type=f'icckd_mm.{name}')) for name in ('CRDLoss', 'AngleWiseRKD'))
crd.memory.labels.copy_(torch.arange(50000) % 100)
data = [DataSample(metainfo=dict(sample_idx=i)).set_gt_label(i) for i in range(64)]
before = peak()
crd(torch.randn(64, 128, requires_grad=True), torch.randn(64, 128, requires_grad=True), data).backward()
print(peak() - before)
angles(torch.randn(256, 512, requires_grad=True), torch.randn(256, 512)).backward()
print(peak() - before)
"""


def test_temporaries_are_bounded():
    """In MB. mmrazor's: 1059 for CRD with B=64, 16,384 negatives, D=128, 50,000 images; 774 for angles with B=256, D=512."""
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', PEAK], capture_output=True, text=True, cwd=ROOT, check=True)
    crd_peak, peak = (float(value) for value in done.stdout.split()[-2:])
    assert crd_peak < 200
    assert peak < 350


def test_a_run_needs_no_wrapper_of_the_data_set(tmp_path):
    runner, steps = train(tmp_path, algorithm(weights(tmp_path / 't.pth'), distiller=CRD), hooks=(), views=1, epochs=3)
    memory = runner.model.distiller.distill_losses['loss_crd'].memory
    assert memory.labels.tolist() == runner.train_dataloader.dataset.get_gt_labels().tolist()
    values = [step['distill.loss_crd'] for step in steps]
    assert sum(values[-4:]) < sum(values[:4])
    saved = torch.load(tmp_path / 'epoch_3.pth', weights_only=True)['state_dict']
    assert torch.equal(saved['distiller.distill_losses.loss_crd.memory.student'], memory.student)


def half():
    return written(slice(3 * dist.get_rank(), 3 * dist.get_rank() + 3))


def written(rows):
    """The memory after two steps with some rows of a batch of 6."""
    torch.manual_seed(4)
    loss = CRDLoss(**SMALL)
    for step in range(2):
        student, teacher = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(step))
        loss(unit(student[rows]), unit(teacher[rows]), samples(range(6), [0, 1, 2, 0, 1, 2])[rows])
    return loss.memory.state_dict()


def test_two_processes_keep_one_memory(processes):
    results = processes.run(half)
    for name, value in written(slice(0, 6)).items():
        for rank in range(2):
            torch.testing.assert_close(results[rank][name], value)


@pytest.mark.parametrize('change', [lambda one: one.set_gt_score(torch.ones(3) / 3), lambda one: one.set_gt_label([0, 1])])
def test_an_image_without_one_class_is_refused(change):
    loss = MODELS.build(dict(type='icckd_mm.CRDLoss', neg_num=2, sample_n=4, dim_out=4))
    mixed = samples([0, 1], [0, 1])
    change(mixed[1])
    with pytest.raises(ValueError, match='CRDLoss needs one class for each image'):
        loss(torch.randn(2, 4), torch.randn(2, 4), mixed)
    assert loss.memory.labels.eq(-1).all()
