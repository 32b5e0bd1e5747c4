import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, SequentialSampler

from icckd_mm.datasets.repeatable import EpochBatches, EpochIndex, RepeatableDataset, RepeatableLoader
from icckd_mm.randomness import random_state
from tests.helpers import build, config

IMAGES = 12


class Noise(Dataset):
    """Draws from all three generators, two views per image."""

    CLASSES = ('a', 'b')

    def __len__(self):
        return IMAGES

    def __getitem__(self, index):
        import random

        assert type(index) is int
        return torch.tensor([[index, random.random(), np.random.rand(), torch.rand(()).item()] for _ in range(2)])


def drawn(epoch=0, first=0, seed=0, passes=1, **options):
    """``{index: views}`` of the last of a few passes."""
    loader = RepeatableLoader(DataLoader(Noise(), batch_size=4, **options), seed)
    for number in range(epoch - passes + 1, epoch + 1):
        loader.set_position(number, first)
        rows = torch.cat(list(loader))
    return {int(row[0, 0]): row[:, 1:].tolist() for row in rows}


@pytest.mark.parametrize(
    'options',
    [
        dict(num_workers=1),
        dict(num_workers=4),
        dict(num_workers=2, persistent_workers=True),
    ],
    ids=str,
)
def test_a_sample_is_the_same_whoever_makes_it(options):
    assert drawn(epoch=2) == drawn(epoch=2, passes=3, **options)


def test_a_sample_differs_by_epoch_index_seed_and_view():
    first, second, other = drawn(epoch=0), drawn(epoch=1), drawn(epoch=0, seed=1)
    values = [value for samples in (first, second, other) for views in samples.values() for view in views for value in view]
    assert len(set(values)) == len(values) == 3 * IMAGES * 2 * 3


def test_a_sample_does_not_depend_on_what_else_a_process_loads():
    """As rank 1 of 2 would, in another order."""
    dataset = RepeatableDataset(Noise(), 0)
    half = {index: dataset[EpochIndex(index, 3)][:, 1:].tolist() for index in reversed(range(1, IMAGES, 2))}
    whole = drawn(epoch=3)
    assert half == {index: whole[index] for index in half}


def test_loading_in_the_main_process_leaves_the_generators_alone():
    before = random_state()
    drawn()
    after = random_state()
    assert before['python'] == after['python']
    assert torch.equal(before['numpy'][1], after['numpy'][1])
    assert torch.equal(before['torch'], after['torch'])


def test_a_pass_from_the_middle_loads_the_rest_only_once():
    loader = RepeatableLoader(DataLoader(Noise(), batch_size=4), 0)
    loader.set_position(1, 2)
    assert [batch[:, 0, 0].tolist() for batch in loader] == [[8, 9, 10, 11]]
    assert len(loader) == 3
    assert len(list(loader)) == 3  # the position holds for one pass


def test_the_sampler_learns_the_epoch(tmp_path):
    runner = build(tmp_path, train_cfg=dict(type='icckd_mm.ExactTrainLoop', max_epochs=1))
    batches = runner.train_dataloader.batch_sampler
    assert batches.sampler.epoch == 0
    batches.set_position(5)
    assert batches.sampler.epoch == 5


def test_attributes_are_those_of_the_data_set_also_after_pickling():
    dataset = pickle.loads(pickle.dumps(RepeatableDataset(Noise(), 3)))
    assert (len(dataset), dataset.CLASSES, dataset.seed) == (IMAGES, Noise.CLASSES, 3)
    with pytest.raises(AttributeError, match='missing'):
        _ = dataset.missing


def test_epoch_index_is_a_number_that_survives_pickling():
    index = pickle.loads(pickle.dumps(EpochIndex(7, 3)))
    assert (index, index.epoch, [*'abcdefgh'][index]) == (7, 3, 'h')


def test_batches_of_any_batch_sampler():
    batches = EpochBatches(BatchSampler(SequentialSampler(range(5)), 2, drop_last=True))
    batches.set_position(4, 1)
    (batch,) = list(batches)
    assert batch == [2, 3]
    assert [index.epoch for index in batch] == [4, 4]


def test_a_loader_without_batches_is_refused():
    with pytest.raises(ValueError, match='got batch_size=None'):
        RepeatableLoader(DataLoader(Noise(), batch_size=None), 0)


def test_a_sampler_that_repeats_images_is_refused(tmp_path):
    loader = config(tmp_path).train_dataloader
    loader.sampler = dict(type='RepeatAugSampler', num_repeats=3)
    runner = build(tmp_path, train_dataloader=loader, train_cfg=dict(type='icckd_mm.ExactTrainLoop', max_epochs=1))
    with pytest.raises(ValueError, match='RepeatAugSampler repeats an image'):
        _ = runner.train_dataloader
