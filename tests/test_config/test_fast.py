"""Trial runs of a config."""

import copy
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from icckd_mm.config.fast import fast_options
from tests.test_datasets.layouts import tiny_imagenet

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/icckd'


@pytest.fixture(autouse=True)
def _without_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fast(path, **changes):
    cfg = Config.fromfile(CONFIGS / path)
    cfg.merge_from_dict(changes)
    before = copy.deepcopy(cfg.to_dict())
    options = fast_options(cfg)
    assert cfg.to_dict() == before
    cfg.merge_from_dict(options)
    return cfg


@pytest.mark.parametrize(
    ('path', 'size', 'classes'),
    [
        ('distill/kd_logits_vgg13_vgg8_1xb64_cifar10.py', 32, 10),
        ('baseline/ce_vgg13_1xb64_cifar100.py', 32, 100),
        ('teacher/icc_vgg13_1xb64_tiny-imagenet.py', 64, 200),
        ('teacher/icc_resnet34_8xb32_in1k.py', 224, 1000),
    ],
)
def test_noise_of_the_same_shape_stands_in_for_missing_data(path, size, classes):
    cfg = fast(path)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.type == 'icckd_mm.RandomImages'
        assert (loader.dataset.size, loader.dataset.num_classes) == (size, classes)
        assert 'data_root' not in loader.dataset
        assert 'LoadImageFromFile' not in str(loader.dataset.pipeline)
        assert (loader.batch_size, loader.num_workers, loader.persistent_workers) == (4, 0, False)
    assert cfg.train_dataloader.dataset.num_images == 16
    assert cfg.val_dataloader.dataset.test_mode
    assert ('MultiView' in str(cfg.train_dataloader.dataset.pipeline)) == ('icc_' in path)


def test_real_data_are_used_when_they_are_there(tmp_path):
    tiny_imagenet(tmp_path / 'data/tiny-imagenet-200')
    dataset = fast('baseline/ce_vgg8_1xb64_tiny-imagenet.py').train_dataloader.dataset
    assert (dataset.type, dataset.dataset.type, dataset.images) == ('icckd_mm.EvenPlaces', 'icckd_mm.TinyImageNet', 16)
    assert set(DATASETS.build(dataset).get_gt_labels()) == {0, 1, 2}  # the first images are of one class or two
    assert fast('baseline/ce_resnet8_1xb64_digits.py').val_dataloader.dataset.images == 8


DIGITS = dict(type='icckd_mm.Digits', scale=32, pipeline=[dict(type='PackInputs')])
SOME = dict(type='icckd_mm.ClassMap', dataset=DIGITS, classes=list(range(9, -1, -1)))
WRAPPED = {
    'repeat': dict(type='RepeatDataset', dataset=DIGITS, times=3),
    'concat': dict(type='ConcatDataset', datasets=[DIGITS, DIGITS]),
    'balanced': dict(type='ClassBalancedDataset', dataset=DIGITS, oversample_thr=0.1),
    'fold': dict(type='KFoldDataset', dataset=DIGITS),
    'some classes': SOME,
    'fold of some classes': dict(type='KFoldDataset', dataset=SOME),
}


@pytest.mark.parametrize('name', WRAPPED)
def test_a_wrapper_is_cut_to_as_few_images(name):
    changes = {'train_dataloader.dataset': {**WRAPPED[name], '_delete_': True}}
    dataset = DATASETS.build(fast('baseline/ce_resnet8_1xb64_digits.py', **changes).train_dataloader.dataset)
    assert len(dataset) == 16 == len(dataset.get_gt_labels())
    assert [dataset[place]['data_samples'].sample_idx for place in range(16)] == list(range(16))
    assert [dataset[place]['data_samples'].gt_label.item() for place in range(16)] == dataset.get_gt_labels().tolist()
    assert dataset.metainfo['classes']


def test_a_trial_run_over_joined_data_sets_trains(tmp_path):
    changes = {'train_dataloader.dataset': {**WRAPPED['concat'], '_delete_': True}}
    cfg = fast('baseline/ce_resnet8_1xb64_digits.py', work_dir=str(tmp_path / 'run'), **changes)
    cfg.log_level, cfg.experiment_name = 'ERROR', 'fast-joined'
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.collate_fn = dict(type='default_collate')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 8


def test_schedules_shrink_with_the_epochs():
    steps = fast('baseline/ce_vgg13_1xb64_cifar100.py')
    assert (steps.train_cfg.max_epochs, steps.param_scheduler.milestones) == (2, [1, 2])
    assert fast('teacher/icc-ft_vgg13_1xb64_cifar100.py').param_scheduler.T_max == 2
    both = [dict(type='LinearLR', end=24), dict(type='CosineAnnealingLR', begin=120, end=240, T_max=120)]
    listed = fast('baseline/ce_vgg13_1xb64_cifar100.py', param_scheduler=both).param_scheduler
    assert listed == [dict(type='LinearLR', end=1), dict(type='CosineAnnealingLR', begin=1, end=2, T_max=1)]


def test_checkpoints_are_used_when_they_are_there(tmp_path):
    path = 'distill/kd_logits_vgg13_vgg8_1xb64_cifar10.py'
    assert fast(path).model.teacher_ckpt is None
    assert fast('teacher/icc-ft_vgg13_1xb64_cifar100.py').load_from is None
    teacher = Config.fromfile(CONFIGS / path).model.teacher_ckpt
    (tmp_path / teacher).parent.mkdir(parents=True)
    (tmp_path / teacher).touch()
    assert fast(path).model.teacher_ckpt == teacher


def test_every_checkpoint_that_is_missing_is_left_out(tmp_path):
    """A random teacher is then intended; of several teachers the available ones are kept."""
    pair = 'resnet20_resnet8_1xb64_digits.py'
    two = f'distill/icckd-two-teachers_logits_{pair}'
    teachers = Config.fromfile(CONFIGS / two).model.teacher.teacher_ckpts
    (tmp_path / teachers[1]).parent.mkdir(parents=True)
    (tmp_path / teachers[1]).touch()
    cfg = fast(two, **{'model.student_ckpt': 'none.pth'})
    assert cfg.model.teacher.teacher_ckpts == [None, teachers[1]]
    assert (cfg.model.allow_random_teacher, cfg.model.student_ckpt) == (True, None)
    assert fast(f'distill/icckd-ab_logits_{pair}').model.init_cfg is None  # a classifier that starts from a first stage
    assert fast(f'distill/icckd-ft_backbone_{pair}').model.distiller.init_cfg is None
    free = fast(f'distill/icckd-dafl_logits_{pair}').model
    assert (free.teachers.teacher.ckpt_path, free.allow_random_teacher) == (None, True)
    theirs = fast(f'distill/kd_logits_{pair}', **{'model.type': 'SingleTeacherDistill'}).model  # knows no such argument
    assert 'allow_random_teacher' not in theirs


def test_a_trial_run_of_two_teachers_trains(tmp_path):
    cfg = fast('distill/icckd-two-teachers_logits_resnet20_resnet8_1xb64_digits.py', work_dir=str(tmp_path / 'run'))
    cfg.log_level, cfg.experiment_name = 'ERROR', 'fast-two-teachers'
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.collate_fn = dict(type='default_collate')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 8
    assert 'val/teacher.accuracy/top1' in runner.message_hub.log_scalars


def test_touches_no_work_dir_of_a_real_run():
    assert fast('baseline/ce_vgg13_1xb64_cifar100.py', work_dir='runs/a').work_dir == 'runs/a/fast'


def test_unknown_data_that_are_missing_are_named():
    with pytest.raises(ValueError, match=r'data/mine of the data set does not exist.*noise can replace CIFAR10'):
        fast(
            'baseline/ce_vgg13_1xb64_cifar100.py',
            **{'train_dataloader.dataset': dict(_delete_=True, type='mmpretrain.CustomDataset', data_root='data/mine')},
        )
