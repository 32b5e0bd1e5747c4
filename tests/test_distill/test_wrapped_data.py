"""Memories of the training images under wrappers: one row per item of the outer data set, or an error that names it."""

import pytest
import torch
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from icckd_mm.datasets.device_loader import DeviceLoader
from icckd_mm.datasets.repeatable import RepeatableLoader
from icckd_mm.datasets.wrappers.places import count_places
from icckd_mm.distill.hooks.teacher_cache_hook import TeacherCacheHook
from icckd_mm.distill.losses import CRDLoss
from tests.helpers import equal, state, train
from tests.test_distill.cases import algorithm, weights
from tests.test_distill.test_teacher_cache import EXACT, STILL, Passes

CROP = [dict(type='RandomCrop', crop_size=8, padding=2), dict(type='PackInputs')]
PLAIN = dict(by_epoch=True, max_epochs=2)


def digits(*indices, pipeline=CROP):
    return dict(type='icckd_mm.Digits', scale=8, indices=list(range(*indices)), pipeline=pipeline)


def wrapped(pipeline=CROP):
    """Configs of data sets and how many places they have."""
    more = digits(12, pipeline=pipeline)
    few, two = digits(8, pipeline=pipeline), [digits(6, pipeline=pipeline), digits(6, 12, pipeline=pipeline)]
    subset = dict(type='icckd_mm.ClassMap', dataset=digits(30, pipeline=pipeline), classes=[3, 5, 1])
    coarse = dict(type='icckd_mm.CoarseLabels', dataset=digits(20, pipeline=pipeline), groups=[[0, 1, 2], [7, 8]])
    return {
        'ConcatDataset': (dict(type='ConcatDataset', datasets=two), 12),
        'RepeatDataset': (dict(type='RepeatDataset', dataset=few, times=2), 16),
        'ClassBalancedDataset': (dict(type='ClassBalancedDataset', dataset=more, oversample_thr=0.1), 20),
        'KFoldDataset': (dict(type='KFoldDataset', dataset=digits(15, pipeline=pipeline), num_splits=3), 10),
        'ClassMap': (subset, 9),
        'Repeat of ClassMap': (dict(type='RepeatDataset', dataset=subset, times=2), 18),
        'KFold of ClassMap': (dict(type='KFoldDataset', dataset=subset, num_splits=3, fold=1, seed=1), 6),
        'KFold of CoarseLabels': (dict(type='KFoldDataset', dataset=coarse, num_splits=2), 5),
        'Concat of Repeat and ClassMap': (
            dict(
                type='ConcatDataset',
                datasets=[dict(type='RepeatDataset', dataset=few, times=2), {**subset, 'names': list('012')}],
                ignore_keys=['classes'],
            ),
            25,
        ),
        'EvenPlaces of Repeat': (
            dict(type='icckd_mm.EvenPlaces', dataset=dict(type='RepeatDataset', dataset=few, times=2), images=9),
            9,
        ),
    }


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'teacher.pth')


def loader_of(dataset, kind=None):
    options = dict(batch_size=4, dataset=dataset)
    if kind:
        return dict(type=kind, **options)
    return dict(num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True), **options)


def student(work_dir, teacher, dataset, *hooks, loop=EXACT, kind=None):
    torch.manual_seed(0)
    passes = Passes()
    runner, steps = train(
        work_dir, algorithm(teacher), hooks=[*hooks, passes], views=1, train_dataloader=loader_of(dataset, kind), train_cfg=loop
    )
    return steps, state(runner.model.student), passes.images


TRAINED = [name for name in wrapped() if name not in ('ClassMap', 'Repeat of ClassMap', 'KFold of CoarseLabels')]


@pytest.mark.parametrize('name', TRAINED)
def test_a_cache_in_single_precision_changes_no_bit_under_a_wrapper(name, teacher, tmp_path):
    """Places that share an image have crops of their own, and rows of their own."""
    dataset, places = wrapped()[name]
    plain = student(tmp_path / 'plain', teacher, dataset)
    first, second = (
        student(tmp_path / run, teacher, dataset, TeacherCacheHook(str(tmp_path / 'cache'), 'float32'))
        for run in ('first', 'second')
    )
    assert (plain[2], first[2], second[2]) == (2 * places, 2 * places, 0)
    for found in (first, second):
        assert found[0] == plain[0]
        assert equal(found[1], plain[1])


@pytest.mark.parametrize('name', ['ConcatDataset', 'KFold of ClassMap'])
def test_the_device_loader_has_a_row_for_each_place_too(name, teacher, tmp_path):
    dataset, places = wrapped()[name]
    kind = 'icckd_mm.DeviceLoader'
    plain = student(tmp_path / 'plain', teacher, dataset, kind=kind)
    for run, images in (('first', 2 * places), ('second', 0)):
        found = student(tmp_path / run, teacher, dataset, TeacherCacheHook(str(tmp_path / 'c'), 'float32'), kind=kind)
        assert (found[0], found[2]) == (plain[0], images)


@pytest.mark.parametrize('name', ['ConcatDataset', 'RepeatDataset', 'ClassBalancedDataset'])
def test_mmengines_own_loop_is_refused_where_places_share_an_index(name, teacher, tmp_path):
    """Without augmentation its loop is allowed otherwise."""
    dataset, _ = wrapped(STILL)[name]
    hook = TeacherCacheHook(str(tmp_path / 'cache'))
    with pytest.raises(ValueError, match=rf'within {dataset["type"]}; set train_cfg\.type=.icckd_mm\.ExactTrainLoop'):
        student(tmp_path / 'run', teacher, dataset, hook, loop=PLAIN)
    assert not (tmp_path / 'cache').exists()


@pytest.mark.parametrize('name', ['ClassMap', 'KFold of ClassMap'])
def test_mmengines_own_loop_is_fine_where_they_do_not(name, teacher, tmp_path):
    dataset, places = wrapped(STILL)[name]
    plain = student(tmp_path / 'plain', teacher, dataset, loop=PLAIN)
    found = student(tmp_path / 'run', teacher, dataset, TeacherCacheHook(str(tmp_path / 'c'), 'float32'), loop=PLAIN)
    assert (plain[2], found[2]) == (2 * places, places)
    for ours, theirs in zip(found[0], plain[0]):  # rows of the second epoch were computed in other batches
        assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize('name', wrapped())
@pytest.mark.parametrize('kind', [RepeatableLoader, DeviceLoader])
def test_every_loader_of_ours_numbers_the_places_from_zero(kind, name):
    dataset, places = wrapped()[name]
    if kind is DeviceLoader:
        loader = DeviceLoader(dataset, batch_size=4)
        found = [sample.sample_idx for batch in loader for sample in batch['data_samples']]
    else:
        loader = RepeatableLoader(Runner.build_dataloader(loader_of(dataset)), seed=0)
        found = [sample.sample_idx for batch in loader for sample in batch['data_samples']]
    assert sorted(found) == list(range(places)) == list(range(count_places(loader, 'a test')))


def test_pictures_and_labels_of_a_fold_of_some_classes_are_those_of_the_class_map():
    dataset, _ = wrapped(STILL)['KFold of ClassMap']
    fold, whole = DATASETS.build(dataset), DATASETS.build(dataset['dataset'])
    for index, place in enumerate(fold._ori_indices):
        assert torch.equal(fold[index]['inputs'], whole[place]['inputs'])
        assert fold.get_gt_labels()[index] == whole.get_gt_labels()[place] == fold[index]['data_samples'].gt_label.item()
    assert fold.metainfo['classes'] == whole.metainfo['classes']


def test_the_bank_has_a_row_for_each_place_or_is_refused(tmp_path):
    """Half the places of a RepeatDataset have read the feature of the other half."""
    hook = dict(
        type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss'), second_view='bank'
    )
    dataset, places = wrapped()['ConcatDataset']
    options = dict(hooks=[hook], views=1, train_dataloader=loader_of(dataset))
    runner, _ = train(tmp_path / 'exact', train_cfg=dict(type='icckd_mm.ExactTrainLoop', max_epochs=1), **options)
    bank = runner.model.icc_loss.bank
    assert len(bank.written) == places + 1
    assert bank.written[:places].all()
    with pytest.raises(ValueError, match=r"second_view='bank' keeps one row per item .* within ConcatDataset"):
        train(tmp_path / 'plain', train_cfg=dict(by_epoch=True, max_epochs=1), **options)


def crd(teacher, places):
    """A distillation by CRD."""
    pooled = dict(pooled=dict(type='ModuleOutputs', source='neck'))
    record = dict(recorder='pooled', data_idx=0)
    distiller = dict(
        type='ConfigurableDistiller',
        student_recorders={**pooled, 'data': dict(type='ModuleInputs', source='')},
        teacher_recorders=pooled,
        connectors={
            name: dict(type='TorchNNConnector', module_name='Linear', module_args=dict(in_features=8, out_features=4))
            for name in ('student', 'teacher')
        },
        distill_losses=dict(loss_crd=dict(type='icckd_mm.CRDLoss', neg_num=3, sample_n=places, dim_out=4)),
        loss_forward_mappings=dict(
            loss_crd=dict(
                s_feats=dict(from_student=True, connector='student', **record),
                t_feats=dict(from_student=False, connector='teacher', **record),
                data_samples=dict(from_student=True, recorder='data', data_idx=1),
            )
        ),
    )
    return algorithm(teacher, distiller=distiller)


def test_crd_remembers_the_label_of_each_place(teacher, tmp_path):
    dataset, places = wrapped()['ConcatDataset']
    options = dict(hooks=[], views=1, train_dataloader=loader_of(dataset))
    runner, _ = train(tmp_path, crd(teacher, places), train_cfg=EXACT, **options)
    (loss,) = [module for module in runner.model.modules() if isinstance(module, CRDLoss)]
    expected = [one for part in DATASETS.build(dataset).datasets for one in part.get_gt_labels().tolist()]
    assert loss.memory.labels.tolist() == expected
