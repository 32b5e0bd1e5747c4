"""Data sets of a plan, subsets of sorted data, and the loader on the device."""

import copy
import dataclasses
import shlex
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

import icckd_mm.datasets.wrappers.coarse_labels  # noqa: F401
from icckd_mm.config.options import apply_options
from icckd_mm.datasets.batch_pipeline import read_pipeline
from icckd_mm.datasets.wrappers.nesting import innermost_config
from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import check_plan, read_plan
from icckd_mm.lab.experiment.runner import Study
from icckd_mm.lab.experiment.train_run import Task, command, train_run
from tests.test_datasets.layouts import picture

ROOT = Path(__file__).parents[3]
REAL = ('cifar10_jpeg', 'cifar10_coarse2', 'cifar10_coarse5', 'tiny100', 'tiny100_gpu')
CLASSES = ('a', 'b', 'c', 'd')
SMALL = {'backbone.depth': 8, 'backbone.widths': (4, 4, 4, 4), 'head.in_channels': 4}


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    """Four classes of twelve training and four test images; the grey level tells the class."""
    root = tmp_path_factory.mktemp('images')
    for label, name in enumerate(CLASSES):
        for split, count in (('train', 12), ('test', 4)):
            for index in range(count):
                picture(root / split / name / f'{index:02d}.png', 60 * label, size=32)
    return root


def entry(root, *groups, **changes):
    sets = {part: dict(type='mmpretrain.CustomDataset', data_root=str(root), data_prefix=part) for part in ('train', 'test')}
    if groups:
        sets = {part: dict(type='icckd_mm.CoarseLabels', dataset=one, groups=groups) for part, one in sets.items()}
    return {**dict(configs='cifar10', num_classes=len(groups) or 4, **sets), **changes}


def plan(root, **changes):
    content = dict(
        name='small',
        seeds=[0],
        default=dict(data='grey', pair='resnet56_resnet20', images=24, epochs=1),
        designs=[dict(type='product', loss_weight=[0.1])],
        controls=['ce', 'alone'],
        networks=dict(teacher=SMALL, student=SMALL),
        datasets={'grey': entry(root, ['a', 'b'], ['c', 'd'], data_preprocessor=dict(to_rgb=True, mean=[90, 90, 90]))},
        options=dict(
            all={
                f'{loader}_dataloader.{name}': value
                for loader in ('train', 'val', 'test')
                for name, value in (('num_workers', 0), ('persistent_workers', False))
            }
        ),
    )
    return check_plan({**content, **changes})


def resolved(run):
    cfg = Config.fromfile(run.recipe.config)
    apply_options(cfg, run.options_with(None))
    return cfg


def test_every_run_has_the_data_the_classes_and_the_augmentation_of_its_config(images):
    graph = build_graph(plan(images))
    assert sorted((run.recipe.stage, run.recipe.method) for run in graph.values()) == [
        ('student', 'alone'),
        ('student', 'kd'),
        ('student', 'kd'),
        ('teacher', 'ce'),
        ('teacher', 'icc'),
    ]
    for run in graph.values():
        cfg, stock = resolved(run), Config.fromfile(run.recipe.config)
        assert run.recipe.factors['data'] == 'grey'
        assert (cfg.data_preprocessor.to_rgb, cfg.data_preprocessor.mean) == (True, [90, 90, 90])
        assert cfg.data_preprocessor.type == stock.data_preprocessor.type
        for loader in ('train', 'val', 'test'):
            pipeline = innermost_config(cfg[f'{loader}_dataloader'].dataset).pipeline
            assert pipeline[0].type == 'LoadImageFromFile'
            assert pipeline[1:] == stock[f'{loader}_dataloader'].dataset.pipeline  # one view or two
        heads = [cfg.model.head] if 'head' in cfg.model else [cfg.model.architecture.head, cfg.model.teacher.head]
        assert {head.num_classes for head in heads} == {2}
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            train, test = (DATASETS.build(cfg[f'{part}_dataloader'].dataset) for part in ('train', 'test'))
        assert np.bincount(train.get_fine_labels()).tolist() == [6] * 4
        assert np.bincount(test.get_gt_labels()).tolist() == [8] * 2


@pytest.mark.parametrize('data', ['grey', 'digits'])
def test_the_bank_sees_one_view_under_the_augmentation_of_the_config(images, data):
    """Of data of the plan and of the config; the student's pipeline does not change."""
    pair = {'grey': 'resnet56_resnet20', 'digits': 'resnet20_resnet8'}[data]
    graph = build_graph(plan(images, default=dict(data=data, pair=pair, images=24, second_view='bank'), controls=['ce']))
    teachers = {run.recipe.method: run for run in graph.values() if run.recipe.stage == 'teacher'}
    found, expected = (innermost_config(resolved(teachers[one]).train_dataloader.dataset).pipeline for one in ('icc', 'ce'))
    assert found == expected
    students = [run for run in graph.values() if run.recipe.stage == 'student']
    assert all('train_dataloader.dataset.pipeline' not in run.recipe.options for run in students)


def test_images_of_data_that_are_mixed_on_disk_are_the_first_ones(images):
    options = next(iter(build_graph(plan(images, default=dict(images=500))).values())).recipe.options
    assert options['train_dataloader.dataset.indices'] == 500


def test_sorted_data_of_our_configs_keep_their_classes_too(images):
    graph = build_graph(plan(images, default=dict(data='tiny-imagenet', pair='wrn40-2_wrn16-2', images=500), networks={}))
    for run in graph.values():
        dataset = resolved(run).train_dataloader.dataset
        assert dataset.type.endswith('.even_subset')
        assert (dataset.images, dataset.dataset.type) == (500, 'icckd_mm.TinyImageNet')


def test_options_of_the_plan_have_precedence_over_its_data_sets(images):
    options = dict(all={'train_dataloader.dataset.dataset.data_prefix': 'test', 'data_preprocessor.to_rgb': False})
    for run in build_graph(plan(images, options=options)).values():
        cfg = resolved(run)
        assert innermost_config(cfg.train_dataloader.dataset).data_prefix == 'test'
        assert cfg.train_dataloader.dataset.images == 24
        assert not cfg.data_preprocessor.to_rgb


def test_names_of_runs_tell_data_sets_and_loaders_apart(images):
    names = set(build_graph(plan(images)))
    assert not names & set(build_graph(plan(images, datasets={'grey': entry(images, ['a', 'c'], ['b', 'd'])})))
    assert not names & set(build_graph(plan(images, device_loader=True)))
    assert not names & set(build_graph(plan(images, default=dict(data='grey', pair='resnet56_resnet20', images=20))))
    assert names == set(build_graph(plan(images)))


def test_a_plan_can_be_resolved_twice(images):
    """mmengine takes ``_delete_`` out of what it merges; the options of a run must survive it."""
    graph = build_graph(plan(images))
    run = next(iter(graph.values()))
    before = copy.deepcopy(run.recipe.options)
    assert resolved(run).to_dict() == resolved(run).to_dict()
    assert run.recipe.options == before
    assert before['val_dataloader.dataset']['_delete_'] is True


def test_a_run_on_the_device_loader_is_measured_and_its_config_stands_beside_it(images, tmp_path):
    """No command line can hold a data set."""
    study = Study(build_graph(plan(images, device_loader=True)), tmp_path)
    run = next(run for run in study.graph.values() if run.recipe.method == 'icc')
    record = train_run(study.task(run, resume=False))
    assert set(record['subclass_probe']) == {'fine', 'within_coarse', 'chance'}
    assert record['subclass_probe']['chance'] == 50
    words = shlex.split((study.path(run) / 'command.txt').read_text())[4:]
    assert '--device-loader' in words
    assert words[0] == str(study.path(run) / 'config.py')
    assert innermost_config(Config.fromfile(words[0]).train_dataloader.dataset).data_root == str(images)


def test_the_command_of_a_student_names_its_teacher(images):
    run = next(run for run in build_graph(plan(images)).values() if run.recipe.method == 'kd')
    words = shlex.split(command(Task(run, 'folder', 'teacher.pth', False, '')))
    assert words[4] == 'folder/config.py'
    assert words[-2:] == ['--cfg-options', 'model.teacher_ckpt=teacher.pth']
    assert '--device-loader' not in words


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(datasets={'grey': dict(configs='cifar10')}), 'must be a dict with configs, train, test and num_classes'),
        (dict(datasets={'grey': entry('x', tset=3)}), "'tset' is not a field; did you mean test"),
        (dict(datasets={'grey': entry('x', train='folder')}), 'train must be the config of a data set'),
        (dict(datasets={'grey': entry('x', configs='cifar11')}), 'there is no config'),
        (dict(datasets={'grey': entry('x', data_preprocessor=dict(meen=[0]))}), 'meen'),
        (dict(datasets={'grey': entry('x', train=dict(type='CustomDatset', data_root='x'))}), 'CustomDatset'),
        (dict(datasets=['grey']), 'datasets must be a dict of data sets by name'),
        (dict(datasets={'grey': entry('x', num_classes='ten')}), "num_classes must be an integer of at least 2, got 'ten'"),
        (dict(device_loader='yes'), "device_loader must be True or False, got 'yes'"),
    ],
)
def test_mistakes_are_named_before_any_work(images, changes, message):
    with pytest.raises(ValueError, match=message):
        build_graph(plan(images, **changes))


@pytest.mark.parametrize('name', REAL)
def test_our_plans_on_real_images_can_be_dry_run_without_the_data(name):
    """Three seeds of five teachers and their students; every option has been checked against its config."""
    found = read_plan(f'docs/study/plans/{name}.py')
    graph = build_graph(found)
    students = 2 if name == 'tiny100_gpu' else 1
    assert len(graph) == 3 * (5 + 5 * students + 1)
    assert all(run.device_loader for run in graph.values())


@pytest.mark.parametrize(
    ('name', 'part', 'runs', 'epochs'),
    [
        ('cifar10_16_exploration', 'held_out', 13, 40),
        ('cifar10_16_fresh_seeds', 'test', 9, 40),
        ('cifar10_16_little_data', 'test', 9, None),
        ('cifar10_16_missing_class', 'test', 9, 40),
        ('cifar10_16_more_teachers', 'held_out', 39, None),
        ('cifar10_16_2classes', 'test', 26, 20),
        ('cifar10_16_2000_images', 'test', 9, 200),
        ('cifar10_16_5classes', 'test', 26, 20),
        ('cifar10_16_subclass', 'test', 51, 20),
        ('tiny200_16_20parents', None, 19, 20),
        ('tiny100_16_exploration', None, 13, 40),
        ('tiny100_16_fresh_seeds', None, 9, 40),
        ('tiny100_16_mcmi_control', None, 6, 40),
    ],
)
def test_the_plans_at_16x16_can_be_dry_run_without_the_data(name, part, runs, epochs):
    """One seed of each: crops fit, two-view teachers alone see two views, and the device loader can make them.

    No run of a choice opens the test images. MCMI has a short schedule. Teachers compute in bfloat16, trained and distilled.
    """
    graph = build_graph(dataclasses.replace(read_plan(f'docs/study/plans/{name}.py'), seeds=(0,)))
    assert len(graph) == runs
    assert all(run.device_loader for run in graph.values())
    for run in {run.recipe.method + repr(run.recipe.factors): run for run in graph.values()}.values():
        cfg, positive = resolved(run), run.recipe.factors.get('positive')
        steps = innermost_config(cfg.train_dataloader.dataset).pipeline
        assert bool(read_pipeline(steps).strong) == (positive == 'strong' and run.recipe.stage == 'teacher')
        views = [step for step in steps if step.type == 'MultiView']
        assert bool(views) == (run.recipe.stage == 'teacher' and 'second_view' in run.recipe.factors)
        if views:
            assert [step.type for step in views[0].transforms[0]] == ['RandomCrop', 'RandomFlip']
            assert len(views[0].transforms) == (2 if positive == 'strong' else 1)
            assert {step.scale for step in views[0].transforms[-1] if step.type == 'RandomResizedCrop'} <= {16}
        (crop,) = [step for step in (views[0].transforms[0] if views else steps) if step.type == 'RandomCrop']
        assert (crop.crop_size, crop.padding) == (16, 2)
        if part:
            tests = [innermost_config(cfg[f'{loader}_dataloader'].dataset) for loader in ('val', 'test')]
            assert {test.data_prefix for test in tests} == {part}
        ends = {'mcmi': 10, 'icc-ft': 10, 'ce-stop': 40}  # the last leaves the whole schedule early
        assert max(one.end for one in cfg.param_scheduler) == ends.get(run.recipe.method, run.epochs)
        assert run.epochs == epochs or epochs is None or run.recipe.method in ends
        assert run.recipe.method != 'ce-stop' or run.epochs == 20
        if run.recipe.stage == 'teacher':
            assert cfg.optim_wrapper.type == 'icckd_mm.Bfloat16OptimWrapper'
        elif run.recipe.parent is not None:
            assert cfg.model.teacher_dtype == 'bfloat16'


def test_three_plans_share_their_teachers():
    """A teacher that one of them trained serves the others."""
    names = ('fresh_seeds', 'little_data', 'missing_class')
    graphs = [build_graph(read_plan(f'docs/study/plans/cifar10_16_{name}.py')) for name in names]
    first, *others = ({key for key, run in graph.items() if run.recipe.stage == 'teacher'} for graph in graphs)
    assert len(first) == 40
    assert others == [first, first]


def test_students_of_the_plans_on_their_data_see_less_than_their_teachers():
    """The student alone, too."""
    seen = {}
    for name in ('little_data', 'missing_class'):
        graph = build_graph(dataclasses.replace(read_plan(f'docs/study/plans/cifar10_16_{name}.py'), seeds=(0,)))
        for run in graph.values():
            data = resolved(run).train_dataloader.dataset
            seen.setdefault((name, run.recipe.stage), set()).add((data.type, data.get('images'), *data.get('classes', [])))
    assert seen == {
        ('little_data', 'teacher'): {('mmpretrain.CustomDataset', None)},
        ('little_data', 'student'): {('icckd_mm.even_subset', 500)},
        ('missing_class', 'teacher'): {('mmpretrain.CustomDataset', None)},
        ('missing_class', 'student'): {('icckd_mm.without_classes', None, 'truck')},
    }


@pytest.mark.parametrize('teacher', ['icc', 'ce-2view'])
def test_a_teacher_trains_with_a_strong_second_view(images, tmp_path, teacher):
    """On the device, where its student's images are as well."""
    default = dict(data='grey', pair='resnet56_resnet20', images=24, epochs=1, positive='strong', teacher=teacher)
    study = Study(build_graph(plan(images, default=default, device_loader=True, controls=[])), tmp_path)
    teacher_run, _ = study.graph.values()
    assert teacher_run.device_loader
    record = train_run(study.task(teacher_run, resume=False))
    assert record['factors']['positive'] == 'strong'
    assert set(record['hidden_classes']) > {'linear', 'kmeans_nmi', 'retrieval_map'}


def test_the_plan_at_the_scale_of_the_paper_can_be_dry_run_without_the_data():
    graph = build_graph(read_plan('docs/study/plans/tiny_imagenet_gpu.py'))
    assert len(graph) == 3 * (3 + 3 * 2 + 1)
    assert {run.epochs for run in graph.values()} == {240}
