"""Images that do not belong together, several views and other classes are named before training."""

import copy

import pytest
import torch

from icckd_mm.engine.data_check_hook import DataCheckHook
from icckd_mm.engine.image_checks import different_classes
from tests.helpers import CONV, ICC, Outputs, build, config, train
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


LEVELS = dict(
    type='ConfigurableDistiller',
    student_recorders=dict(
        map=dict(type='ModuleOutputs', source='backbone.layer3'), row=dict(type='ModuleInputs', source='head.fc')
    ),
    distill_losses=dict(loss_review=dict(type='icckd_mm.ReviewKDLoss', student_channels=(8, 8), teacher_channels=(8, 8))),
    loss_forward_mappings=dict(
        loss_review=dict(
            s1=dict(recorder='map', from_student=True),
            t1=dict(recorder='map', from_student=False),
            s2=dict(recorder='row', from_student=True, data_idx=0),
            t2=dict(recorder='row', from_student=False, data_idx=0),
        )
    ),
)
LEVELS['teacher_recorders'] = LEVELS['student_recorders']


@pytest.mark.parametrize('loop', ['icckd_mm.ExactTrainLoop', 'EpochBasedTrainLoop'])
def test_a_last_image_that_a_batch_norm_cannot_learn_from_is_refused_at_the_first_batch(tmp_path, loop):
    """ReviewKD's batch norm reads pooled features: one value per image."""
    model = algorithm(allow_random_teacher=True, distiller=LEVELS)
    steps = Outputs()
    options = dict(views=1, images=17, train_cfg=dict(type=loop, max_epochs=1))
    runner = build(tmp_path / 'refused', model, hooks=(DataCheckHook(), steps), **options)
    with pytest.raises(ValueError, match=r'one image, and distiller.*fusions.1.reduce.1 then gets one .*drop_last=True'):
        runner.train()
    assert steps.steps == []
    loader = config(tmp_path, **options).train_dataloader.to_dict()
    for name, more in (('dropped', dict(drop_last=True)), ('two left', dict(batch_size=3))):
        _, found = train(
            tmp_path / name, model, hooks=(DataCheckHook(),), **{**options, 'train_dataloader': {**loader, **more}}
        )
        assert all(step['distill.loss_review'] > 0 for step in found)


def test_one_last_image_trains_where_batch_norm_sees_a_map(tmp_path):
    runner, steps = train(tmp_path, algorithm(allow_random_teacher=True), hooks=(DataCheckHook(),), views=1, images=9)
    assert len(steps) == 2
    assert not any(module._forward_pre_hooks for module in runner.model.modules())


def test_without_the_hook_the_last_batch_of_one_image_says_what_to_do(tmp_path):
    model = algorithm(allow_random_teacher=True, distiller=LEVELS)
    with pytest.raises(ValueError, match=r'ReviewKDLoss\) fails on .* per channel; set train_dataloader.drop_last=True'):
        train(tmp_path, model, hooks=(), views=1, images=9)
