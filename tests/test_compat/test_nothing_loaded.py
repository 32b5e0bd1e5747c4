"""mmengine's loaders notice that nothing was loaded."""

import mmengine.runner
import pytest
import torch
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import load_checkpoint


class Net(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.fc = torch.nn.Linear(2, 2)


@pytest.fixture
def file(tmp_path):
    def write(state):
        torch.save({'state_dict': state}, tmp_path / 'x.pth')
        return str(tmp_path / 'x.pth')

    return write


@pytest.mark.parametrize('load', [load_checkpoint, mmengine.runner.load_checkpoint])
def test_load_checkpoint_refuses_a_file_without_one_weight(load, file):
    with pytest.raises(ValueError, match=r'x\.pth has no weight of Net \(fc\.weight, \.\.\.\), which would stay random'):
        load(Net(), file({'model.fc.weight': torch.ones(2, 2)}))
    with pytest.raises(ValueError, match='has no weight of Net'):
        load(Net(), file({'fc.weight': torch.ones(3, 2)}))


def test_a_part_is_enough(file):
    net = Net()
    load_checkpoint(net, file({'fc.bias': torch.ones(2), 'other': torch.ones(1)}))
    assert net.fc.bias.tolist() == [1, 1]
    load_checkpoint(torch.nn.ReLU(), file({}))  # nothing to load


@pytest.mark.parametrize('prefix', [None, 'model.'])
def test_init_cfg_refuses_a_file_without_one_weight(prefix, file):
    path = file({'model.x': torch.ones(2), 'fc2.bias': torch.ones(2)})
    with pytest.raises(ValueError, match=r"x\.pth has no weight of Net .*prefix='backbone\.'"):
        Net(dict(type='Pretrained', checkpoint=path, prefix=prefix)).init_weights()
    path = file({f'{prefix or ""}fc.bias': torch.ones(2)})
    net = Net(dict(type='Pretrained', checkpoint=path, prefix=prefix))
    net.init_weights()
    assert net.fc.bias.tolist() == [1, 1]
