"""Rows of each class from a real network, and the file of distances between classes."""

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import MODELS
from torch.utils.data import DataLoader

from icckd_mm.datasets import Digits
from icckd_mm.distill.class_distances import read_distances
from icckd_mm.functional import class_distances
from icckd_mm.lab.measures.class_rows import class_rows
from tests.helpers import CONV, config
from tests.test_distill.cases import classifier, weights
from tools.analysis import class_distances as tool


@pytest.fixture(scope='module')
def network():
    torch.manual_seed(0)
    return MODELS.build(classifier(CONV)).eval()


def images(count=40):
    dataset = Digits(split='train', scale=8, indices=count, pipeline=[dict(type='mmpretrain.PackInputs')])
    return DataLoader(dataset, batch_size=16, collate_fn=default_collate)


def test_rows_are_places_of_the_last_map_in_the_order_of_the_data_set(network):
    found = class_rows(network, images(), 'map')
    maps, labels = [], []
    for batch in images():
        maps.append(network.backbone(network.data_preprocessor(batch, False)['inputs'])[-1].detach())
        labels += [int(sample.gt_label) for sample in batch['data_samples']]
    maps, smallest = torch.cat(maps), min(labels.count(label) for label in range(10))
    for label, rows in enumerate(found):
        own = maps[[index for index, other in enumerate(labels) if other == label][:smallest]]
        torch.testing.assert_close(rows, own.permute(0, 2, 3, 1).reshape(-1, maps.size(1)))
    pooled, logits = class_rows(network, images(), 'pooled'), class_rows(network, images(), 'logits')
    torch.testing.assert_close(pooled[3], found[3].view(smallest, -1, maps.size(1)).mean(1))
    torch.testing.assert_close(logits[3], network.head.fc(pooled[3]).detach())
    with pytest.raises(ValueError, match='has no image of class'):
        class_rows(network, images(3))


def test_the_command_writes_distances_that_the_loss_reads(tmp_path, network, capsys):
    cfg = config(tmp_path, images=40, validate=True)
    cfg.dump(tmp_path / 'config.py')
    checkpoint = weights(tmp_path / 'weights.pth', seed=0)
    tool.main([str(tmp_path / 'config.py'), checkpoint, '--out', str(tmp_path / 'd.npy'), '--rows', 'pooled'])
    assert '10 classes of 3 rows' in capsys.readouterr().out
    distances = read_distances(tmp_path / 'd.npy')
    network.data_preprocessor = MODELS.build(dict(cfg.model.data_preprocessor))
    torch.testing.assert_close(distances, class_distances(class_rows(network, images(), 'pooled')).float())
    loss = MODELS.build(dict(type='icckd_mm.WassersteinLogitLoss', distances=str(tmp_path / 'd.npy')))
    assert torch.equal(loss.distances, distances)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (np.zeros((3, 4), np.float32), r'holds float32 \(3, 4\), not one row and one column'),
        (np.zeros((3, 3), np.int64), 'holds int64'),
        (np.full((3, 3), np.nan, np.float32), 'must hold finite distances of at least 0'),
        (-np.ones((2, 2), np.float32) + np.eye(2, dtype=np.float32), 'must hold finite distances of at least 0'),
        (np.ones((2, 2), np.float32), 'and 0 on the diagonal'),
        (np.array([[0, 1], [0.5, 0]], np.float32), 'must be symmetric'),
        (np.array([[None, 1], [1, None]], object), 'cannot be read'),
    ],
)
def test_a_file_is_data_and_checked(tmp_path, content, message):
    np.save(tmp_path / 'd.npy', content, allow_pickle=True)
    with pytest.raises(ValueError, match=message):
        read_distances(tmp_path / 'd.npy')


def test_a_forged_size_allocates_nothing(tmp_path):
    """The header promises 4 TB."""
    np.lib.format.open_memmap(tmp_path / 'd.npy', mode='w+', dtype=np.float32, shape=(2, 2)).flush()
    content = (tmp_path / 'd.npy').read_bytes().replace(b'(2, 2)', b'(1000000, 1000000)').replace(b' ' * 12 + b'\n', b'\n')
    (tmp_path / 'd.npy').write_bytes(content)
    with pytest.raises(ValueError, match='cannot be read'):
        read_distances(tmp_path / 'd.npy')
    with pytest.raises(ValueError, match='cannot be read'):
        read_distances(tmp_path / 'none.npy')
