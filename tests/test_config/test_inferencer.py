"""An inferencer that is given weights alone builds registered classes of the config in them, and no larger than they are."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.infer import BaseInferencer
from mmengine.registry import DefaultScope

from tests.helpers import CONV
from tests.test_attacks.forged import at, run_config, write_run


class Inferencer(BaseInferencer):
    """The least that a subclass must bring."""

    def _init_pipeline(self, cfg):
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            return Compose(cfg.test_dataloader.dataset.pipeline)

    def visualize(self, inputs, preds, **kwargs):
        pass

    def postprocess(self, preds, visualization, return_datasample=False, **kwargs):
        return [int(one.pred_label) for one in preds]


@pytest.fixture
def infer(monkeypatch):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield lambda **options: Inferencer(device='cpu', scope='mmpretrain', **options)


def forged(folder, place, value):
    cfg = run_config(folder)
    cfg['test_dataloader']['collate_fn'] = 'pseudo_collate'  # mmengine's inferencer takes no dict
    at(cfg, place, value)
    return str(write_run(folder, cfg))


@pytest.mark.parametrize('place', ['model', 'model.backbone', 'model.head', 'data_preprocessor', 'test_dataloader.collate_fn'])
def test_no_function_that_a_file_names_is_called(place, infer, tmp_path):
    marker = tmp_path / 'marker'
    file = forged(tmp_path, place, dict(type='os.mkdir', path=str(marker)))
    with pytest.raises(ValueError, match=r"epoch_1\.pth: .*'os\.mkdir' is not a registered .* as model=, beside weights="):
        infer(weights=file)
    assert not marker.exists()


def test_nor_one_in_its_pipeline(infer, tmp_path):
    marker = tmp_path / 'marker'
    file = forged(tmp_path, 'test_dataloader.dataset.pipeline', [dict(type='os.mkdir', path=str(marker))])
    with pytest.raises(ValueError, match=r"'os\.mkdir' is not a registered transform"):
        infer(weights=file)
    assert not marker.exists()


def test_nor_one_that_joins_images(infer, tmp_path):
    with pytest.raises(ValueError, match=r"test_dataloader\.collate_fn .*'os\.abort' is not a registered function"):
        infer(weights=forged(tmp_path, 'test_dataloader.collate_fn', 'os.abort'))


def test_parts_that_inference_does_not_need_are_not_built(infer, tmp_path):
    marker = tmp_path / 'marker'
    file = forged(tmp_path, 'visualizer', dict(type='os.mkdir', path=str(marker)))
    assert infer(weights=file).visualizer is None
    assert not marker.exists()


def test_a_network_far_larger_than_its_weights_takes_no_memory(infer, tmp_path):
    file = forged(tmp_path, 'model.head.num_classes', 10**8)
    with pytest.raises(ValueError, match='far larger than the weights in the file'):
        infer(weights=file)


def test_the_config_of_a_run_builds_the_network_with_its_weights(infer, tmp_path):
    file = forged(tmp_path, 'test_dataloader.dataset.pipeline', [dict(type='PackInputs')])
    made = infer(weights=file)
    stored = torch.load(file, weights_only=True)['state_dict']
    assert all(torch.equal(value, stored[name]) for name, value in made.model.state_dict().items() if name in stored)
    (label,) = made([dict(img=np.zeros((8, 8, 3), np.uint8))])
    assert label in range(10)


def test_a_file_without_a_config_is_one_line(infer, tmp_path):
    torch.save({'meta': {}, 'state_dict': {}}, tmp_path / 'bare.pth')
    with pytest.raises(ValueError, match=r'bare\.pth does not hold the config of a network'):
        infer(weights=str(tmp_path / 'bare.pth'))


class Own:
    """A step that is in no registry."""

    def __call__(self, results):
        return results


def test_a_config_that_the_user_names_is_a_program(infer, tmp_path):
    file = write_run(tmp_path, run_config(tmp_path))
    steps = dict(dataset=dict(pipeline=[dict(type=f'{__name__}.Own')]))
    made = infer(model=dict(model=CONV, test_dataloader=steps), weights=str(file))
    assert isinstance(made.pipeline.transforms[0], Own)
