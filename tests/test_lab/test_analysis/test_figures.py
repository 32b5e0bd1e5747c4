"""Figures that are the same each time, and do not need colour."""

import numpy as np
import pytest
import torch

from icckd_mm.lab.analysis.calibration_figures import calibration_figure
from icckd_mm.lab.analysis.curve_figures import curves_figure
from icckd_mm.lab.analysis.curves import RunLog
from icckd_mm.lab.analysis.feature_figures import chosen_rows, features_figure, plot_feature_spaces
from icckd_mm.lab.analysis.label_figures import logit_difference_figure, soft_labels_figure, spread_figure
from icckd_mm.lab.measures.calibration import calibration
from icckd_mm.lab.measures.features import FeatureSpace
from icckd_mm.lab.measures.soft_labels import logit_difference, soft_labels
from icckd_mm.lab.style import save, wrapped


def space(seed=0, images=40, classes=4):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(images) % classes
    return FeatureSpace(torch.randn(images, 8, generator=generator), torch.randn(images, classes, generator=generator), labels)


def test_a_figure_has_the_same_bytes_each_time(tmp_path):
    """Whatever random numbers were drawn before; in PNG and PDF."""
    files = []
    for name in ('first', 'second'):
        np.random.rand(3), torch.rand(3)
        files.append(save(features_figure({'a': space(), 'b': space(1)}), tmp_path / name))
    for first, second in zip(*files):
        assert first.read_bytes() == second.read_bytes()
    assert files[0][0].read_bytes().startswith(b'\x89PNG')
    assert files[0][1].read_bytes().startswith(b'%PDF')


def test_panels_show_the_same_images():
    labels = torch.arange(3000) % 20
    rows = chosen_rows(labels, 100)
    assert len(rows) == 100
    assert labels[rows].max() < 10  # no more shapes than classes
    assert torch.equal(rows, chosen_rows(labels, 100))
    assert len(chosen_rows(labels[:50], 100)) == 30
    with pytest.raises(ValueError, match='b was tested on other images than a'):
        features_figure({'a': space(), 'b': space(images=44)})


def test_runs_differ_without_colour():
    """By line and marker in curves, by marker where there is no line."""
    times = np.arange(5.0)
    made = curves_figure({name: RunLog('epoch', {'loss': (times, times)}) for name in 'abcde'})
    assert len({str(line.get_linestyle()) + line.get_marker() for line in made.axes[0].lines}) == 5
    assert made.axes[0].get_ylabel() == 'nats'
    assert made.axes[0].get_xlabel() == 'epoch'
    made = spread_figure({name: soft_labels(space().logits, space().labels) for name in 'abc'})
    assert len({line.get_marker() for line in made.axes[0].lines}) == 3


def test_panels_are_of_what_was_logged():
    """A distillation's own cross-entropy stands beside that of a teacher, not the sum of its losses."""
    points = np.arange(3.0), np.arange(3.0)
    teacher = RunLog('epoch', {'loss': points, 'icc_ratio': points})
    student = RunLog('epoch', {'loss': (points[0], 9 * points[1]), 'student.loss': points})
    made = curves_figure({'teacher': teacher, 'student': student})
    drawn = {axis.get_title(): [line.get_ydata().max() for line in axis.lines] for axis in made.axes if axis.get_visible()}
    assert drawn == {'Classification loss (training)': [2, 2], 'Intra / inter distance (icc_ratio)': [2]}
    with pytest.raises(ValueError, match='nothing to draw'):
        curves_figure({'empty': RunLog('epoch', {'time': points})})


def test_the_demo_writes_its_figure(tmp_path):
    plot_feature_spaces({'a': space()}, tmp_path / 'spaces.png')
    assert (tmp_path / 'spaces.png').stat().st_size > 5000


def test_long_names_are_broken_without_a_letter_lost():
    name = 'icckd-kd_logits_resnet32x4_shufflenetv2_1xb64_cifar100'
    assert wrapped(name).replace('\n', '') == name
    assert max(map(len, wrapped(name).split('\n'))) <= 32


NAMES = ('beetle', 'fly', 'moth')


def test_classes_have_their_names_and_differences_a_white_middle():
    torch.manual_seed(0)
    labels, logits = torch.arange(3).repeat_interleave(5), torch.randn(15, 3)
    made = logit_difference_figure({'student': logit_difference(logits, torch.randn(15, 3), labels)}, NAMES)
    axis = made.axes[0]
    assert tuple(text.get_text() for text in axis.get_xticklabels()) == NAMES
    (image,) = axis.images
    assert image.norm.vmin == -image.norm.vmax
    assert min(image.cmap(0.5)[:3]) > 0.9
    assert max(abs(a - b) for a, b in zip(image.cmap(0.1), image.cmap(0.9))) > 0.4
    soft = soft_labels_figure({'student': soft_labels(logits, labels)}, 4.0, NAMES)
    assert tuple(text.get_text() for text in soft.axes[0].get_yticklabels()) == NAMES


def test_the_scale_of_soft_labels_is_that_of_the_other_classes():
    labels = torch.arange(3).repeat_interleave(5)
    logits = 8 * torch.eye(3)[labels] + torch.tensor([0.0, 0.5, 1.0])
    found = soft_labels(logits, labels, 1.0)
    others = found.mean.clone().fill_diagonal_(0).max()
    (image,) = soft_labels_figure({'student': found}, 1.0).axes[0].images
    assert image.norm.vmax == pytest.approx(float(others))


def test_every_distillation_loss_has_a_panel():
    points = (np.array([1.0, 2.0]), np.array([3.0, 2.0]))
    log = RunLog('epoch', {'student.loss': points, 'distill.loss_kl': points, 'distill.loss_rkd': points})
    titles = [axis.get_title() for axis in curves_figure({'run': log}).axes]
    assert [title for title in titles if title.startswith('Distillation')] == [
        'Distillation: loss_kl, weighted',
        'Distillation: loss_rkd, weighted',
    ]


def test_the_losses_of_a_generator_have_panels():
    points = (np.array([1.0, 2.0]), np.array([3.0, 2.0]))
    made = curves_figure({'run': RunLog('epoch', {'generator.loss_bn': points, 'distill.loss_kl': points})})
    assert [axis.get_title() for axis in made.axes] == ['Distillation: loss_kl, weighted', 'Generator: loss_bn, weighted']


@pytest.mark.parametrize('runs', [1, 3, 5])
def test_at_most_two_panels_stand_side_by_side(runs):
    """Text keeps its size beside any number of runs: a page shows a figure at its own width, or half of it."""
    found = {f'run{number}': soft_labels(space().logits, space().labels) for number in range(runs)}
    differences = {name: logit_difference(space().logits, space(1).logits, space().labels) for name in found}
    log = RunLog('epoch', {key: (np.arange(3.0), np.arange(3.0)) for key in ('loss', 'icc_pass', 'icc_ratio', 'accuracy/top1')})
    figures = [
        soft_labels_figure(found, 4.0),
        logit_difference_figure(differences),
        curves_figure(dict.fromkeys(found, log)),
        features_figure(dict.fromkeys(found, space())),
        calibration_figure({name: calibration(space().logits, space().labels) for name in found}),
    ]
    assert max(made.get_size_inches()[0] for made in figures) <= 11.5


def test_a_difference_names_the_teacher():
    found = {'student': logit_difference(space().logits, space(1).logits, space().labels)}
    assert logit_difference_figure(found, teachers={'student': 'icc_run'}).axes[0].get_title() == 'student\nminus icc_run'
    assert logit_difference_figure(found).axes[0].get_title() == 'student'
