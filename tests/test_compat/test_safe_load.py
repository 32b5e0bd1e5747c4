import copy
import pickle
import re
import warnings

import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner.checkpoint import CheckpointLoader, _load_checkpoint

from icckd_mm.compat.safe_load import load_checkpoint_safely

from . import tiny_runner


@pytest.fixture(autouse=True)
def quiet():
    """The Runner warns about what it is not given."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield


@pytest.fixture(scope='module')
def stock(tmp_path_factory):
    """The runner of one epoch and the file that the stock CheckpointHook wrote."""
    folder = tmp_path_factory.mktemp('stock')
    torch.set_num_threads(1)  # as in each test; other numbers of threads round differently
    runner = tiny_runner.train(folder)
    return runner, folder / 'epoch_1.pth'


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_file_of_the_stock_hook_comes_back_whole(stock):
    runner, path = stock
    checkpoint = load_checkpoint_safely(path)
    assert same(checkpoint['state_dict'], runner.model.state_dict())
    assert checkpoint['state_dict']._metadata == runner.model.state_dict()._metadata
    logs = checkpoint['message_hub']['log_scalars']
    assert logs.keys() >= {'train/loss', 'train/lr', 'train/time'}
    for name, expected in runner.message_hub.log_scalars.items():
        buffer = logs[name]
        assert type(buffer) is HistoryBuffer
        assert all((a == b).all() and a.dtype == b.dtype for a, b in zip(buffer.data, expected.data))
        assert buffer.max_length == expected.max_length
        assert buffer.statistics('mean') == expected.statistics('mean')
    again = copy.deepcopy(logs['train/loss'])
    again.update(1.0)
    assert again.current() == 1.0


def test_resume_goes_on_as_training_that_was_never_stopped(stock, tmp_path):
    _, path = stock
    resumed = tiny_runner.train(tmp_path / 'resumed', max_epochs=2, load_from=str(path), resume=True)
    assert resumed.iter == 8
    assert len(MessageHub.get_current_instance().get_scalar('train/loss').data[0]) == 8
    whole = tiny_runner.train(tmp_path / 'whole', max_epochs=2)
    assert same(resumed.model.state_dict(), whole.model.state_dict())


def test_load_from_and_init_cfg_give_the_weights(stock, tmp_path):
    runner, path = stock
    loaded = tiny_runner.train(tmp_path, load_from=str(path), max_epochs=0)
    assert same(loaded.model.state_dict(), runner.model.state_dict())
    net = copy.deepcopy(runner.model)
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    net.init_cfg, net._is_init = {'type': 'Pretrained', 'checkpoint': str(path)}, False
    net.init_weights()
    assert same(net.state_dict(), runner.model.state_dict())


def test_published_keys(tmp_path):
    tiny_runner.train(tmp_path, checkpoint={'published_keys': ['meta', 'state_dict']})
    (published,) = tmp_path.glob('epoch_1-*.pth')
    assert load_checkpoint_safely(published).keys() == {'meta', 'state_dict'}


def test_mmengine_uses_it_for_local_files(stock):
    assert CheckpointLoader._get_checkpoint_loader(str(stock[1])).__name__ == 'load_from_local'
    assert _load_checkpoint(str(stock[1]), map_location='cpu')['meta']['epoch'] == 1


@pytest.mark.parametrize('log', [None, HistoryBuffer([2.0, 3.0], [1, 1])], ids=['plain', 'with a HistoryBuffer'])
@pytest.mark.parametrize('zipped', [True, False])
def test_both_formats_of_torch(tmp_path, zipped, log):
    content = {
        'a': torch.arange(3.0),
        'b': [1, 'x', None, (2.5, True)],
        'half': torch.ones(2, dtype=torch.bfloat16),
        'log': log,
    }
    torch.save(content, tmp_path / 'file.pth', _use_new_zipfile_serialization=zipped)
    loaded = load_checkpoint_safely(str(tmp_path / 'file.pth'), map_location='cpu')
    assert loaded['b'] == content['b']
    assert torch.equal(loaded['a'], content['a'])
    assert torch.equal(loaded['half'], content['half'])
    assert loaded['half'].dtype == torch.bfloat16
    assert loaded['log'] is log is None or loaded['log'].mean() == 2.5


def test_home_folder_and_missing_file(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    torch.save({'x': 1}, tmp_path / 'file.pth')
    assert load_checkpoint_safely('~/file.pth') == {'x': 1}
    for absent in (tmp_path / 'absent.pth', tmp_path):
        with pytest.raises(FileNotFoundError, match=re.escape(f'{absent} can not be found.')):
            load_checkpoint_safely(absent)


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('keep', [0.0, 0.02, 0.3, 0.6, 0.97])
def test_a_truncated_file_is_named(stock, tmp_path, keep, zipped):
    whole = tmp_path / 'whole.pth'
    content = {'state_dict': stock[0].model.state_dict(), 'log': HistoryBuffer([1.0], [1])}
    torch.save(content, whole, _use_new_zipfile_serialization=zipped)
    path = tmp_path / 'cut.pth'
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * keep)])
    errors = (ValueError, RuntimeError, pickle.UnpicklingError)  # the last for a name of a class that is cut in two
    with pytest.raises(errors, match=re.escape(str(path)) + '.*(damaged|could not be loaded|was not loaded)'):
        load_checkpoint_safely(path)


def test_text_is_no_checkpoint(tmp_path):
    path = tmp_path / 'log.txt'
    path.write_text('<html>404 not found</html>')
    with pytest.raises(ValueError, match='damaged or not a PyTorch checkpoint'):
        load_checkpoint_safely(path)


def test_a_torchscript_program_is_refused(tmp_path):
    path = tmp_path / 'program.pt'
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))
    with pytest.raises(pickle.UnpicklingError, match='TorchScript'):
        load_checkpoint_safely(path)


UNMENDED = """
import pickle, sys, torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import _load_checkpoint
class Hostile:
    def __reduce__(self):
        return exec, ('import sys; sys.hostile = True',)
torch.save({'message_hub': HistoryBuffer([1.0], [1])}, 'stock.pth')
torch.save(Hostile(), 'hostile.pth')
outcome = []
for path in ('stock.pth', 'hostile.pth'):
    try:
        _load_checkpoint(path)
        outcome.append('loaded')
    except pickle.UnpicklingError:
        outcome.append('refused')
report([*outcome, hasattr(sys, 'hostile')])
"""


def test_mmengine_alone_still_refuses_its_own_files_or_runs_code(python):
    outcome = python(UNMENDED)
    assert outcome in (['refused', 'refused', False], ['loaded', 'loaded', True]), 'mmengine loads safely: safe_load.py can go'
