from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from icckd_mm.config.check import check_config
from icckd_mm.datasets import Digits
from icckd_mm.lab.tuning.held_out import PART, check_same_images, check_trainable, contrast_hook, held_out_config, part_sizes

CONFIGS = Path(__file__).parents[3] / 'configs/icckd'
TEACHER = CONFIGS / 'teacher/icc_resnet20_1xb64_digits.py'
STUDENT = CONFIGS / 'distill/icckd-kd_logits_resnet20_resnet8_1xb64_digits.py'


def read(path, **options):
    cfg = Config.fromfile(path)
    cfg.merge_from_dict({key.replace('__', '.'): value for key, value in options.items()})
    return cfg


@pytest.mark.parametrize(
    'path',
    [
        TEACHER,
        STUDENT,
        *(CONFIGS / 'teacher').glob('icc*_wrn40-2_1xb64_[ct]*.py'),
        *CONFIGS.glob('distill/icckd-kd_logits_wrn40-2_wrn16-2_*_tiny-imagenet.py'),
        *CONFIGS.glob('*/icc*_resnet34*in1k.py'),
        *CONFIGS.glob('distill/icckd-kd-crd_*wrn40-2_wrn16-2*_digits.py'),
    ],
    ids=lambda path: path.stem,
)
def test_our_configs_are_cut_up_without_a_test_set(path, tmp_path):
    """Data need not be there. What is written is read back as it was, with types and arguments that exist."""
    cfg = read(path)
    before = cfg.pretty_text
    made = held_out_config(cfg, 0.1, 3, epochs=5)
    assert cfg.pretty_text == before
    made.dump(tmp_path / 'made.py')
    made = Config.fromfile(tmp_path / 'made.py')
    check_config(made)
    assert made.test_dataloader is made.test_cfg is made.test_evaluator is None
    train, held_out = made.train_dataloader.dataset, made.val_dataloader.dataset
    assert (train.type, train.fraction, train.seed, train.held_out) == (PART, 0.1, 3, False)
    assert (held_out.type, held_out.fraction, held_out.seed, held_out.held_out) == (PART, 0.1, 3, True)
    assert train.dataset == cfg.train_dataloader.dataset
    assert held_out.dataset == {**train.dataset, 'pipeline': cfg.val_dataloader.dataset.pipeline}
    assert made.val_dataloader.batch_size == cfg.val_dataloader.batch_size
    assert (made.train_cfg.max_epochs, made.train_cfg.val_interval) == (5, 5)


def test_schedule_and_the_start_of_the_loss_shrink_with_the_epochs():
    cfg = read(CONFIGS / 'teacher/icc_wrn40-2_1xb64_cifar100.py', custom_hooks__0__begin=48, custom_hooks__0__warmup=24)
    made = held_out_config(cfg, 0.1, 0, epochs=80)
    assert made.param_scheduler.milestones == [50, 60, 70]
    assert (made.custom_hooks[0].begin, made.custom_hooks[0].warmup) == (16, 8)
    iterations = read(TEACHER, custom_hooks__0__begin=48, custom_hooks__0__by_epoch=False)
    assert held_out_config(iterations, 0.1, 0, epochs=5).custom_hooks[0].begin == 48


def test_a_config_without_validation_takes_the_pipeline_of_its_test():
    cfg = read(TEACHER, val_dataloader=None, val_evaluator=None, val_cfg=None)
    made = held_out_config(cfg, 0.1, 0, epochs=5)
    assert made.val_dataloader.dataset.dataset.pipeline == cfg.test_dataloader.dataset.pipeline
    assert made.val_evaluator == cfg.test_evaluator
    assert made.val_cfg == {}


def test_sizes_are_counted_in_the_training_set():
    cfg = read(STUDENT, train_dataloader__dataset__indices=200, val_dataloader__dataset__split='nowhere')
    labels = Digits(indices=200).get_gt_labels()
    held_out = sum(round(0.25 * int(count)) for count in np.bincount(labels))
    assert part_sizes(held_out_config(cfg, 0.25, 0, epochs=5)) == (200 - held_out, held_out)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(train_cfg=dict(_delete_=True, by_epoch=False, max_iters=100)), 'train_cfg needs max_epochs'),
        (dict(train_dataloader=None), 'no train_dataloader'),
        (dict(val_dataloader=None, test_dataloader=None), 'neither val_dataloader nor test_dataloader'),
        (
            dict(train_dataloader__dataset=dict(_delete_=True, type='RepeatDataset', times=2, dataset=dict(type='X'))),
            'is the wrapper RepeatDataset; .* data set in its dataset',
        ),
        (
            dict(train_dataloader__dataset=dict(_delete_=True, type='ConcatDataset', datasets=[dict(type='X')])),
            'is the wrapper ConcatDataset; .* data set in its datasets',
        ),
        (
            dict(train_dataloader__dataset=dict(_delete_=True, type='icckd_mm.ClassMap', indices=9, dataset=dict(type='X'))),
            'indices of icckd_mm.ClassMap are applied after .* of the data set in it',
        ),
    ],
)
def test_configs_that_cannot_be_cut_up_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        check_trainable(read(TEACHER, **options))


def coarse(path):
    """A config with the parity of the digits for its classes."""
    cfg = read(path)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset = dict(type='icckd_mm.CoarseLabels', dataset=loader.dataset, groups=[[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]])
    return cfg


def test_coarse_labels_stay_around_both_parts():
    cfg = coarse(STUDENT)
    made = held_out_config(cfg, 0.25, 0, epochs=5)
    assert part_sizes(made) == part_sizes(held_out_config(read(STUDENT), 0.25, 0, epochs=5))
    train, held_out = made.train_dataloader.dataset.dataset, made.val_dataloader.dataset.dataset
    assert train == cfg.train_dataloader.dataset
    assert held_out.pop('dataset') == {**train.pop('dataset'), 'pipeline': cfg.val_dataloader.dataset.dataset.pipeline}
    assert held_out == train


def test_teacher_and_student_must_share_their_images():
    check_same_images(read(TEACHER), read(STUDENT))
    check_same_images(coarse(TEACHER), coarse(STUDENT))
    with pytest.raises(ValueError, match=r'differ in .*groups'):
        check_same_images(read(TEACHER), coarse(STUDENT))
    with pytest.raises(ValueError, match='differ in indices, so the teacher could see held-out images'):
        check_same_images(read(TEACHER), read(STUDENT, train_dataloader__dataset__indices=200))


def test_the_hook_is_found_among_others():
    cfg = read(TEACHER)
    cfg.custom_hooks.insert(0, dict(type='EMAHook'))
    assert contrast_hook(cfg)[0] == 1
    with pytest.raises(ValueError, match='has no IntraClassContrastHook, so there is nothing to tune'):
        contrast_hook(read(CONFIGS / 'baseline/ce_resnet20_1xb64_digits.py'))
