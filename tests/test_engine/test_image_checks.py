"""Images that do not belong together, several views and other classes are named before training."""

import copy

import pytest
import torch

from icckd_mm.engine.data_check_hook import DataCheckHook
from icckd_mm.engine.image_checks import different_classes
from tests.helpers import CONV, ICC, build, train
from tests.test_distill.cases import algorithm

VIEWS = 'gives 2 views of each image, the {} takes one; take MultiView out of train_dataloader.dataset.pipeline'


@pytest.mark.parametrize('kind', ['ClsDataPreprocessor', 'icckd_mm.TwoViewDataPreprocessor'])
def test_a_student_with_the_views_of_its_teacher_is_refused(tmp_path, kind):
    preprocessor = dict(type=kind if '.' in kind else f'mmpretrain.{kind}')
    model = algorithm(allow_random_teacher=True, data_preprocessor=preprocessor)
    with pytest.raises(ValueError, match=VIEWS.format('student')):
        train(tmp_path, model, hooks=(DataCheckHook(),), views=2)


def test_a_student_that_learns_from_both_views_as_from_two_images_trains(tmp_path):
    preprocessor = dict(type='icckd_mm.TwoViewDataPreprocessor', repeat_samples=True)
    model = algorithm(allow_random_teacher=True, data_preprocessor=preprocessor)
    assert len(train(tmp_path, model, hooks=(DataCheckHook(),), views=2)[1]) == 4


def test_a_classifier_without_the_hook_of_two_views_is_refused_and_with_it_trains(tmp_path):
    with pytest.raises(ValueError, match=VIEWS.format('model')):
        train(tmp_path / 'a', hooks=(DataCheckHook(),), views=2)
    assert len(train(tmp_path / 'b', hooks=(ICC, DataCheckHook()), views=2)[1]) == 4


def test_other_sizes_and_classes_get_a_warning(tmp_path):
    wide = copy.deepcopy(CONV)
    wide['head']['num_classes'] = 12
    said = []
    for name, model, scale in (('a', wide, 16), ('b', CONV, 8)):
        runner = build(tmp_path / name, model, hooks=(DataCheckHook(),), views=1, validate=True)
        runner._val_dataloader['dataset']['scale'] = scale
        runner.logger.warning = said.append
        runner.train()
    found = [line for line in said if 'training images' in line or 'head has' in line]
    assert len(found) == 2, said
    assert 'the head has 12 classes, the training set names 10; set model.head.num_classes=10' in found[0]
    assert 'training images are 8x8, validation or test images 16x16' in found[1]


@pytest.mark.parametrize(
    ('classes', 'scale', 'line'), [(12, 16, 'the head has 12 classes'), (10, 8, 'training images are 8x8')]
)
def test_they_are_refused_by_a_strict_hook(tmp_path, classes, scale, line):
    model = copy.deepcopy(CONV)
    model['head']['num_classes'] = classes
    runner = build(tmp_path, model, hooks=(dict(type='icckd_mm.DataCheckHook', strict=True),), views=1, validate=True)
    runner._val_dataloader['dataset']['scale'] = 24 - scale
    with pytest.raises(ValueError, match=line):
        runner.train()


def test_training_images_of_mixed_size_are_refused_before_the_first_step(tmp_path):
    """torch would say "stack expects each tensor to be equal size", from a worker of the loader."""
    parts = [dict(type='icckd_mm.Digits', scale=scale, indices=16, pipeline=[dict(type='PackInputs')]) for scale in (8, 12)]
    loader = dict(batch_size=8, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True))
    loader.update(collate_fn=dict(type='default_collate'), dataset=dict(type='ConcatDataset', datasets=parts))
    with pytest.raises(
        ValueError, match=r'train_dataloader gives images of different size \(8x8, 12x12\).* add a Resize or crop'
    ):
        train(tmp_path, hooks=(DataCheckHook(),), views=1, train_dataloader=loader)


def test_a_data_set_without_names_says_nothing():
    assert different_classes(torch.nn.Identity(), [1, 2]) is None


def test_labels_that_the_head_does_not_have_are_refused_before_the_first_step(tmp_path):
    """Without the teacher's hook too: torch itself would say "Target 7 is out of bounds"."""
    narrow = copy.deepcopy(CONV)
    narrow['head']['num_classes'] = 5
    with pytest.raises(ValueError, match=r'labels of Digits run from 0 to 9, but the head has 5 classes'):
        train(tmp_path, narrow, hooks=(DataCheckHook(),), views=1)
