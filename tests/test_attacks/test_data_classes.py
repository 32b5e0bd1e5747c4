"""A label means one class in all splits, in the checkpoint that is tested, and for the teacher."""

import shutil
import time

import pytest
import torch
from mmengine.registry import DATASETS, DefaultScope

from icckd_mm.datasets.class_names import check_same_classes, check_trained_classes, class_lists, difference
from icckd_mm.engine.data_check_hook import DataCheckHook
from tests.helpers import build, config, train
from tests.test_datasets.layouts import image_folder, picture
from tests.test_distill.cases import algorithm, weights

EXACT = dict(type='icckd_mm.ExactTrainLoop', max_epochs=1)
READ = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(8, 8)), dict(type='PackInputs')]
PACK = [dict(type='PackInputs')]


def folder(root, **more):
    return dict(type='CustomDataset', data_root=str(root), pipeline=READ, **more)


def made(dataset):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return DATASETS.build(dataset)


@pytest.fixture
def roots(tmp_path):
    """Equal folders for train, val and test."""
    for split in ('train', 'val', 'test'):
        image_folder(tmp_path / split)
    return tmp_path


def loaders(roots, wrap=lambda one: one, **more):
    """Options of a run; ``wrap`` is put around each data set."""
    found = {}
    for split in ('train', 'val', 'test'):
        loader = config(roots, validate=True).train_dataloader.to_dict()
        loader.update(batch_size=4, dataset=wrap(folder(roots / split, **more)))
        loader['sampler']['shuffle'] = split == 'train'
        found[f'{split}_dataloader'] = loader
    return found


def missing(root):
    shutil.rmtree(root / 'dog')


def surplus(root):
    picture(root / 'ant/0.png', 9)


def exchanged(root):
    (root / 'dog').rename(root / 'eel')


def renamed(root):
    for name in ('cat', 'dog', 'owl'):
        (root / name).rename(root / f'the {name}')


CHANGES = {
    missing: r'only train has dog',
    surplus: r'only (val|test) has ant',
    exchanged: r'only train has dog; only (val|test) has eel',
    renamed: r'only train has cat, dog, owl; only (val|test) has the cat, the dog, the owl',
}
WRAPPERS = {
    'plain': lambda one: one,
    'repeat': lambda one: dict(type='RepeatDataset', dataset=one, times=2),
    'concat': lambda one: dict(type='ConcatDataset', datasets=[one, one]),
    'fold': lambda one: dict(type='KFoldDataset', dataset=one, num_splits=2),
    'even': lambda one: dict(type='icckd_mm.EvenPlaces', dataset=one, images=9),
}


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('split', ['val', 'test'])
def test_class_folders_that_differ_stop_training_before_a_step(split, change, roots):
    """Of a validation that is in use and of a test set that waits."""
    change(roots / split)
    with pytest.raises(ValueError, match=CHANGES[change]) as error:
        train(roots / 'run', hooks=[DataCheckHook()], views=1, validate=True, **loaders(roots))
    assert '\n' not in str(error.value)
    assert not list((roots / 'run').glob('*.pth'))


@pytest.mark.parametrize('wrapper', WRAPPERS)
def test_it_holds_through_wrappers(wrapper, roots):
    wrap = WRAPPERS[wrapper]
    splits = {split: made(wrap(folder(roots / split))) for split in ('train', 'val')}
    check_same_classes(splits)
    surplus(roots / 'val')
    splits['val'] = made(wrap(folder(roots / 'val')))
    with pytest.raises(ValueError, match='classes differ: only val has ant'):
        check_same_classes(splits)


def test_equal_names_from_a_config_do_not_hide_other_folders(roots):
    """As with ImageNet, whose names come from its class and whose labels are counted from the folders."""
    exchanged(roots / 'val')
    with pytest.raises(ValueError, match='class folders differ: only train has dog; only val has eel'):
        train(roots / 'run', hooks=[DataCheckHook()], views=1, validate=True, **loaders(roots, classes=['a', 'b', 'c']))


def test_equal_folders_train_and_test_and_empty_ones_count(roots):
    shutil.rmtree(roots / 'val/dog')
    (roots / 'val/dog').mkdir()
    runner, steps = train(roots / 'run', hooks=[DataCheckHook()], views=1, validate=True, **loaders(roots))
    assert len(steps) == 3
    runner.test()


def test_parts_of_one_split_are_compared_too(roots):
    exchanged(roots / 'test')
    parts = [folder(roots / split, classes=['a', 'b', 'c']) for split in ('train', 'test')]
    with pytest.raises(ValueError, match='class folders differ: only train has dog; only another part of train has eel'):
        check_same_classes({'train': made(dict(type='ConcatDataset', datasets=parts))})


def classes_of(dataset, **options):
    return made(dict(type='icckd_mm.ClassMap', dataset=dataset, **options))


def test_a_class_map_counts_by_what_it_puts_under_a_label(roots):
    """By name it finds its classes among others; by number it would take others for them."""
    surplus(roots / 'val')
    first, second = folder(roots / 'train'), folder(roots / 'val')
    named = dict(classes=['dog', 'cat'])
    check_same_classes(dict(train=classes_of(first, **named), val=classes_of(second, **named)))
    numbered = dict(classes=[0, 1], names=['a', 'b'])
    with pytest.raises(ValueError, match='classes differ: only train has dog; only val has ant'):
        check_same_classes(dict(train=classes_of(first, **numbered), val=classes_of(second, **numbered)))
    groups = [dict(groups=one, names=['x', 'y']) for one in ([[0, 1], [2]], [[0], [1, 2]])]
    with pytest.raises(ValueError, match=r'only train has cat \+ dog, owl; only val has cat, dog \+ owl'):
        check_same_classes(dict(train=classes_of(first, **groups[0]), val=classes_of(first, **groups[1])))


def test_another_order_of_the_same_names_is_named():
    digits = dict(type='icckd_mm.Digits', pipeline=PACK)
    first, second = (classes_of(digits, classes=order) for order in (['1', '2'], ['2', '1']))
    with pytest.raises(ValueError, match='classes differ: label 0 is 1 in train and 2 in val'):
        check_same_classes(dict(train=first, val=second))


def test_noise_has_no_classes_and_coarse_labels_have_both():
    noise = made(dict(type='icckd_mm.RandomImages', num_images=4, size=8, num_classes=2, pipeline=PACK))
    assert class_lists(noise) == [{}]
    coarse = made(dict(type='icckd_mm.CoarseLabels', dataset=dict(type='icckd_mm.Digits'), groups=[[1, 0], [2]]))
    assert class_lists(coarse) == [{'classes': ('1 + 0', '2')}]
    named = dict(dataset=dict(type='icckd_mm.Digits'), groups=[[1, 0], [2]], names=['few', 'more'])
    assert check_trained_classes(['few', 'more'], 'file', made(dict(type='icckd_mm.CoarseLabels', **named)), 'test') is None


DIGITS = [str(digit) for digit in range(10)]


@pytest.mark.parametrize(
    ('trained', 'message'),
    [
        (DIGITS[::-1], 'label 0 is 9 in file and 0 in test'),
        (DIGITS[:9], 'only test has 9'),
        ([*DIGITS[:9], 'ten'], 'only file has ten; only test has 9'),
        ([f'n{digit}' for digit in range(11)], 'only file has n0'),
    ],
)
def test_classes_of_a_checkpoint_that_are_others_are_refused(trained, message):
    with pytest.raises(ValueError, match=message):
        check_trained_classes(trained, 'file', made(dict(type='icckd_mm.Digits')), 'test')


@pytest.mark.parametrize('trained', [None, 7, 'text', [], [1, 2], [None], {'a': 1}, DIGITS, tuple(DIGITS)])
def test_what_is_no_list_of_names_says_nothing(trained):
    assert check_trained_classes(trained, 'file', made(dict(type='icckd_mm.Digits')), 'test') is None


def test_class_names_in_a_message_are_one_line_without_codes():
    trained = [f'\x1b[2J<b>\n{label}' for label in range(10)]
    warning = check_trained_classes(trained, 'x.pth', made(dict(type='icckd_mm.Digits')), 'test')
    assert warning.isprintable()
    assert difference('a', ['x', 'y\n\x1b'], 'b', ['y\n\x1b', 'x']).isprintable()


def test_a_million_class_names_are_compared_at_once():
    begun = time.monotonic()
    with pytest.raises(ValueError, match=r'only x\.pth has 10, 11'):
        check_trained_classes([str(label) for label in range(1_000_000)], 'x.pth', made(dict(type='icckd_mm.Digits')), 'test')
    many = [str(label) for label in range(50_000)]
    assert 'only a has -1' in difference('a', ['-1', *many], 'b', [*many, 'x'])
    assert time.monotonic() - begun < 30


def test_wholly_other_names_are_a_warning():
    names = [f'digit {digit}' for digit in DIGITS]
    assert 'only if both name the same classes' in check_trained_classes(
        names, 'file', made(dict(type='icckd_mm.Digits')), 'test'
    )


@pytest.mark.parametrize('resume', [False, True])
def test_a_checkpoint_of_other_folders_is_refused_in_test_and_resume(resume, roots):
    """Its weights are those of as many classes."""
    train(roots / 'run', hooks=[DataCheckHook()], views=1, validate=True, **loaders(roots))
    for split in ('train', 'val', 'test'):
        (roots / split / 'cat').rename(roots / split / 'pig')
    options = dict(hooks=[DataCheckHook()], views=1, validate=True, load_from=str(roots / 'run/epoch_1.pth'), **loaders(roots))
    runner = build(roots / 'other', resume=resume, epochs=2, **options)
    with pytest.raises(ValueError, match=r'not those of the checkpoint .*epoch_1\.pth: only the checkpoint .* has cat'):
        runner.train() if resume else runner.test()


def test_training_may_start_from_a_network_of_other_classes(roots):
    state = build(roots / 'a', hooks=[], views=1).model.state_dict()
    torch.save(dict(state_dict=state, meta=dict(dataset_meta=dict(classes=['x', 'cat', 'y']))), roots / 'start.pth')
    more = dict(load_from=str(roots / 'start.pth'), **loaders(roots))
    assert len(train(roots / 'run', hooks=[DataCheckHook()], views=1, validate=True, **more)[1]) == 3


def test_a_teacher_of_other_classes_is_refused(tmp_path):
    path = weights(tmp_path / 'teacher.pth', meta=dict(dataset_meta=dict(classes=DIGITS[::-1])))
    with pytest.raises(ValueError, match='classes of train are not those of teacher 1: label 0 is 9'):
        train(tmp_path / 'run', algorithm(path), hooks=[DataCheckHook()], views=1)
    good = weights(tmp_path / 'good.pth', meta=dict(dataset_meta=dict(classes=DIGITS)))
    assert len(train(tmp_path / 'other', algorithm(good), hooks=[DataCheckHook()], views=1)[1]) == 4


@pytest.mark.parametrize('loop', ['icckd_mm.ExactTrainLoop', 'EpochBasedTrainLoop'])
def test_fewer_images_than_a_batch_and_drop_last_are_refused(loop, tmp_path):
    loader = config(tmp_path, images=5, views=1).train_dataloader.to_dict()
    loader['drop_last'] = True
    options = dict(views=1, train_dataloader=loader, train_cfg=dict(type=loop, max_epochs=1))
    with pytest.raises(ValueError, match='no batch: 5 images per process, batch_size=8, drop_last=True'):
        train(tmp_path, hooks=[DataCheckHook()], **options)


def test_the_device_loader_too(tmp_path):
    loader = dict(type='icckd_mm.DeviceLoader', batch_size=8, drop_last=True)
    loader['dataset'] = config(tmp_path, images=5, views=1).train_dataloader.dataset
    with pytest.raises(ValueError, match='no batch: 5 images per process, batch_size=8'):
        train(tmp_path, hooks=[], views=1, train_dataloader=loader, train_cfg=EXACT)
