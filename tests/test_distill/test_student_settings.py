"""What the student's own config says about images is done by the distillation, or refused."""

import copy

import pytest
import torch
from mmengine.registry import MODELS

from tests.helpers import CONV, NORM, equal, state, train
from tests.test_distill.cases import algorithm, classifier, weights

PLAIN = dict(hooks=(), views=1)
MIXUP = dict(augments=dict(type='Mixup', alpha=0.8))
LABELS = {**copy.deepcopy(CONV), 'head': {**CONV['head'], 'cal_acc': False}}
MIXED = {**LABELS, 'train_cfg': MIXUP}


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'a.pth')


def trained(folder, teacher, student, **options):
    torch.manual_seed(0)
    runner, _ = train(folder, algorithm(teacher, student=student, **options), **PLAIN)
    return state(runner.model.student)


def test_mixup_in_the_students_train_cfg_mixes_as_in_the_preprocessor_of_the_distillation(tmp_path, teacher):
    alone = trained(tmp_path / 'alone', teacher, LABELS)
    mixed = trained(tmp_path / 'mixed', teacher, MIXED)
    above = dict(type='mmpretrain.ClsDataPreprocessor', **NORM, batch_augments=MIXUP, num_classes=10)
    same = trained(tmp_path / 'same', teacher, LABELS, data_preprocessor=above)
    assert not equal(alone, mixed)
    assert equal(mixed, same)


REFUSED = {
    'one-hot': (dict(data_preprocessor=dict(to_onehot=True)), r'architecture.data_preprocessor.to_onehot=True has no effect'),
    'padding': (dict(data_preprocessor=dict(pad_size_divisor=32)), 'set model.data_preprocessor.pad_size_divisor'),
    'order of colours': (dict(data_preprocessor=dict(to_rgb=True)), r'to_rgb=True has no effect'),
    'two views': (
        dict(data_preprocessor=dict(type='icckd_mm.TwoViewDataPreprocessor')),
        'architecture.data_preprocessor is a TwoViewDataPreprocessor',
    ),
}


@pytest.mark.parametrize('case', REFUSED)
def test_a_setting_that_would_be_dropped_is_refused(teacher, case):
    setting, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        MODELS.build(algorithm(teacher, student={**CONV, **setting}))


def test_settings_that_say_the_same_are_accepted(teacher):
    same = dict(mean=[78, 78, 78], std=[82, 82, 82], to_rgb=True)
    model = MODELS.build(algorithm(teacher, student={**CONV, 'data_preprocessor': same}, data_preprocessor=dict(same)))
    assert model.data_preprocessor.to_rgb
    with pytest.raises(ValueError, match='normalises images'):
        MODELS.build(algorithm(teacher, student={**CONV, 'data_preprocessor': dict(NORM)}, data_preprocessor={}))


def test_mixing_that_differs_or_cannot_be_done_is_refused(teacher):
    cutmix = dict(augments=dict(type='CutMix', alpha=1.0))
    other = dict(type='mmpretrain.ClsDataPreprocessor', **NORM, batch_augments=cutmix, num_classes=10)
    with pytest.raises(ValueError, match='differ; keep one of them'):
        MODELS.build(algorithm(teacher, student=MIXED, data_preprocessor=other))
    rotating = dict(type='icckd_mm.RotationDataPreprocessor', **NORM)
    with pytest.raises(ValueError, match='which RotationDataPreprocessor cannot'):
        MODELS.build(algorithm(teacher, student=MIXED, data_preprocessor=rotating))


def test_a_preprocessor_without_a_type_is_that_of_a_classifier(teacher):
    model = MODELS.build(algorithm(teacher, data_preprocessor=dict(NORM)))
    assert type(model.data_preprocessor) is type(MODELS.build(classifier()).data_preprocessor)
    assert model.data_preprocessor.mean.flatten().tolist() == [78, 78, 78]
