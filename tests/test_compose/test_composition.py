"""Configs for any teacher, student, mix and images, which run."""

from dataclasses import replace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, DefaultScope

from icckd_mm.compose import compose
from icckd_mm.compose.given.data import find_data, two_views, weak_strong_views
from icckd_mm.compose.origin import converted
from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import check_plan, read_plan
from icckd_mm.packaged import named_config
from tools import compose as command

QUICK = dict(epochs=2, batch=4)


def composed(teacher, student, data, methods, **options):
    return compose(teacher, student, str(data), methods, say=lambda line: None, **{**QUICK, **options})


@pytest.fixture(scope='module')
def birds(six, tmp_path_factory):
    """The folder that a composition wrote, and what was composed."""
    out = tmp_path_factory.mktemp('composed') / 'my birds'
    return out, composed('resnet20', 'resnet8', six, 'icc,ce,kd,kd-crd', out=out)


def test_the_folder_has_small_configs_that_inherit(birds):
    out, done = birds
    names = {path.name for path in out.iterdir()}
    assert names == {
        *('data.py', 'networks.py', 'plan.py', 'train.txt', 'val.txt'),
        *('teacher.py', 'teacher_ce.py', 'student_kd.py', 'student_kd-crd.py'),
    }
    assert done.folder == out
    assert not list(out.parent.glob('.compose*'))
    teacher = (out / 'teacher.py').read_text()
    assert "_base_ = ['data.py', 'networks.py']" in teacher
    assert len(teacher.splitlines()) < 40
    assert done.teacher.custom_hooks[0].loss.loss_weight == 0.02
    assert done.teachers['teacher_ce'].get('custom_hooks') is None
    assert done.student.model.teacher_ckpt == 'work_dirs/my-birds/teacher/epoch_2.pth'
    assert done.student.model.architecture.head.loss.loss_weight == 0.1
    assert done.students['student_kd-crd'].model.distiller.distill_losses.loss_crd.sample_n == 30


def test_a_held_out_image_of_each_class_is_listed_and_names_are_kept(birds, six):
    out, done = birds
    lists = {name: (out / f'{name}.txt').read_text(encoding='utf-8').splitlines() for name in ('train', 'val')}
    assert [len(lines) for lines in lists.values()] == [30, 6]
    assert not set(lists['train']) & set(lists['val'])
    assert sorted(line.rsplit(' ', 1)[1] for line in lists['val']) == list('012345')
    classes = done.student.val_dataloader.dataset.metainfo.classes
    assert classes == sorted(path.name for path in six.iterdir())
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        assert DATASETS.build(done.student.train_dataloader.dataset).metainfo['classes'] == classes


def test_mean_and_spread_are_those_of_the_training_images_in_rgb(birds, six):
    import numpy as np
    from PIL import Image

    out, done = birds
    lines = (out / 'train.txt').read_text(encoding='utf-8').splitlines()
    pixels = np.stack([np.asarray(Image.open(six / line.rsplit(' ', 1)[0])) for line in lines]).reshape(-1, 3)
    np.testing.assert_allclose(done.student.data_preprocessor.mean, pixels.mean(0), atol=0.01)
    np.testing.assert_allclose(done.student.data_preprocessor.std, pixels.std(0), atol=0.01)
    assert done.student.data_preprocessor.to_rgb


def test_a_folder_that_is_there_stays_as_it_is_without_force(birds, six):
    out, _ = birds
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ValueError, match='exists; --force replaces it'):
        composed('resnet20', 'resnet8', six, 'ce,kd', out=out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_force_replaces_only_a_folder_of_its_own(six, tmp_path):
    (tmp_path / 'thesis').mkdir()
    (tmp_path / 'thesis/chapter.txt').write_text('years of work')
    with pytest.raises(ValueError, match='compose did not write it'):
        composed('resnet8', 'resnet8', six, 'ce,kd', out=tmp_path / 'thesis', force=True)
    assert (tmp_path / 'thesis/chapter.txt').read_text() == 'years of work'


def test_the_plan_compares_every_student_with_its_controls(birds):
    out, _ = birds
    graph = build_graph(read_plan(out / 'plan.py'))
    kinds = {(run.recipe.stage, run.recipe.method) for run in graph.values()}
    assert kinds == {
        *(('teacher', name) for name in ('ce', 'ce-2view', 'icc')),
        *(('student', name) for name in ('kd', 'kd-crd', 'alone')),
    }
    configs = {run.recipe.method: run.recipe.config for run in graph.values() if run.recipe.stage == 'teacher'}
    assert configs['ce'].endswith('teacher_ce.py')
    assert configs['ce-2view'].endswith('teacher.py')


def test_a_plan_of_two_configs_finds_the_hook_by_its_type_and_makes_the_controls(birds, tmp_path):
    out, _ = birds
    other = "dict(type='EMAHook')"
    (tmp_path / 'teacher.py').write_text(f"_base_ = '{out}/teacher.py'\ncustom_hooks = [{other}, *_base_.custom_hooks]\n")
    pair = [str(tmp_path / 'teacher.py'), str(out / 'student_kd.py')]
    plan = dict(name='two', seeds=[0], default=dict(data='own', pair=pair), designs=[dict(type='star', loss_weight=[0.1])])
    graph = build_graph(check_plan(plan))
    by_method = {run.recipe.method: run.recipe.options for run in graph.values()}
    assert by_method['icc']['custom_hooks.1.loss.loss_weight'] in (0.02, 0.1)
    assert [hook['type'] for hook in by_method['ce']['custom_hooks']] == ['EMAHook']
    assert 'MultiView' not in str(by_method['ce']['train_dataloader.dataset.pipeline'])
    assert by_method['alone']['model']['head']['loss']['loss_weight'] == 1.0


def test_two_views_keep_the_loading_outside():
    pipeline = [dict(type='LoadImageFromFile'), dict(type='RandomCrop', crop_size=8), dict(type='PackInputs')]
    load, views, pack = two_views(pipeline)
    assert (load, pack) == (pipeline[0], pipeline[-1])
    assert views['transforms'] == [[pipeline[1]]]


def test_a_distiller_of_two_views_gets_a_weak_and_a_strong_one(six, tmp_path):
    done = composed('resnet8', 'resnet8', six, 'ce,mlkd', lr=0.01, out=tmp_path / 'mine')
    assert done.hours['student_mlkd'] > 0
    assert done.student.optim_wrapper.optimizer.lr == 0.01
    load, views, pack = done.student.train_dataloader.dataset.pipeline
    assert (load.type, views.type, pack.type) == ('LoadImageFromFile', 'MultiView', 'PackInputs')
    weak, strong = views.transforms
    assert [step.type for step in strong] == [*(step.type for step in weak), 'RandAugment', 'Cutout']
    assert strong[-1].pad_val == tuple(map(round, reversed(done.student.data_preprocessor.mean)))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        item = DATASETS.build(done.student.train_dataloader.dataset)[0]
    assert [tuple(view.shape) for view in item['inputs']] == [(3, 32, 32)] * 2
    assert not torch.equal(*item['inputs'])


@pytest.mark.parametrize('name', ['cifar100', 'digits', 'tiny-imagenet'])
def test_two_views_of_data_with_a_published_pipeline_are_those(name):
    published = Config.fromfile(named_config(f'icckd_mm::_base_/datasets/{name}_weak_strong_views.py'))
    found = weak_strong_views(find_data(name, None, 0.1, 0))
    assert found == published.train_dataloader.dataset.pipeline
    if name != 'digits':  # the one for other images is that of CIFAR-100
        other = weak_strong_views(replace(find_data(name, None, 0.1, 0), given='photos', fill=(125, 123, 114)))
        assert Config(dict(pipeline=other)).pipeline == found


@pytest.mark.slow
def test_several_teachers_teach_by_their_logits(six):
    done = composed(['resnet8', 'vgg8'], 'resnet8', six, 'ce,kd')
    model = done.student.model
    assert [one.backbone.type for one in model.teacher.teachers] == ['icckd_mm.CIFARResNet', 'icckd_mm.CIFARVGG']
    assert model.teacher.teacher_ckpts == [
        'work_dirs/resnet8_resnet8/teacher/epoch_2.pth',
        'work_dirs/resnet8_resnet8/teacher2/epoch_2.pth',
    ]
    assert list(done.teachers) == ['teacher', 'teacher2']
    with pytest.raises(ValueError, match='several teachers share their logits alone'):
        composed(['resnet8', 'vgg8'], 'resnet8', six, 'ce,rkd')


@pytest.mark.slow
def test_a_fine_tuned_teacher_starts_from_the_plain_one(six):
    done = composed('resnet8', 'resnet8', six, 'icc-ft,kd', epochs=24)
    assert list(done.teachers) == ['teacher', 'teacher_ce']
    assert done.teacher.load_from == 'work_dirs/resnet8_resnet8/teacher_ce/epoch_24.pth'
    assert done.teacher.train_cfg.max_epochs == 2
    assert done.student.model.teacher_ckpt == 'work_dirs/resnet8_resnet8/teacher/epoch_2.pth'


def test_weights_of_other_classes_lose_their_last_layer(six, tmp_path):
    from icckd_mm.zoo.architectures import classifier_config

    torch.manual_seed(1)
    other = MODELS.build(classifier_config('resnet8', 9))
    torch.save({'state_dict': other.state_dict()}, tmp_path / 'other.pth')
    said = []
    compose(
        'resnet8',
        'resnet8',
        str(six),
        'ce,kd',
        out=tmp_path / 'mine',
        teacher_weights=tmp_path / 'other.pth',
        say=said.append,
        **QUICK,
    )
    kept = torch.load(tmp_path / 'mine/weights/teacher.pth', weights_only=True)['state_dict']
    assert torch.equal(kept['backbone.conv1.weight'], other.state_dict()['backbone.conv1.weight'])
    assert not [key for key in kept if key.startswith('head.fc')]
    assert any('other classes' in line for line in said)
    load_from = Config.fromfile(tmp_path / 'mine/teacher.py').load_from
    assert load_from == str(tmp_path / 'mine/weights/teacher.pth')


def test_data_that_are_absent_are_replaced_by_noise_for_the_check(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # no data here
    said = []
    done = compose('resnet8', 'resnet8', 'cifar100', 'ce,kd', say=said.append)
    assert any('random noise of 32x32' in line for line in said)
    assert done.student.train_cfg.max_epochs == 240
    assert done.student.optim_wrapper.optimizer.lr == 0.05
    assert done.student.train_dataloader.dataset.type == 'mmpretrain.CIFAR100'


@pytest.mark.slow
def test_a_first_stage_is_written_with_the_second(six):
    done = composed('resnet8', 'resnet8', six, 'ce,ab')
    assert set(done.students) == {'student_ab', 'student_ab-pretrain'}
    start = done.students['student_ab'].model.get('architecture', done.students['student_ab'].model).init_cfg
    assert start.checkpoint == 'work_dirs/resnet8_resnet8/student_ab-pretrain/epoch_2.pth'


def test_a_checkpoint_of_an_earlier_run_is_not_looked_at(six, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'work_dirs/resnet8_resnet8/teacher').mkdir(parents=True)
    (tmp_path / 'work_dirs/resnet8_resnet8/teacher/epoch_2.pth').write_bytes(b'of another network')
    assert composed('resnet8', 'resnet8', six, 'ce,kd').hours


CONVERTED = (
    'kd/kd_logits_resnet34_resnet18_8xb32_in1k',
    'rkd/rkd_neck_resnet34_resnet18_8xb32_in1k',
    'crd/crd_neck_r50_r18_8xb16_cifar10',
)


@pytest.mark.parametrize('name', CONVERTED)
def test_a_config_of_mmrazor_is_converted_to_names_of_today(name):
    found = converted(f'mmrazor::distill/mmcls/{name}.py')
    assert 'mmcls' not in str(found)
    assert found['model']['type'] == 'icckd_mm.SafeTeacherDistill'
    assert found['model']['architecture']['backbone']['depth'] == 18
    assert all(loss['type'].startswith('icckd_mm.') for loss in found['model']['distiller']['distill_losses'].values())


def test_other_algorithms_of_mmrazor_are_refused():
    with pytest.raises(ValueError, match='is a DataFreeDistillation; only SingleTeacherDistill is converted'):
        converted('mmrazor::distill/mmcls/dfad/dfad_logits_resnet34_resnet18_8xb32_cifar10.py')


def test_the_command_writes_a_converted_config_and_says_how_to_train_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('icckd_mm.compose.origin.check_runs', lambda *args: 0.0)  # at 224 pixels it takes a minute
    out = tmp_path / 'kd.py'
    command.main(['--from', f'mmrazor::distill/mmcls/{CONVERTED[0]}.py', '--out', str(out)])
    assert capsys.readouterr().out.splitlines()[-1] == f'  python -m icckd_mm train {out}'
    assert Config.fromfile(out).model.architecture.backbone.depth == 18
