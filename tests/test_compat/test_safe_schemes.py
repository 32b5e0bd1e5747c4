"""Every scheme of mmengine's loader of checkpoints ends in the safe reader."""

import functools
import hashlib
import http.server
import io
import os
import pickle
import re
import sys
import threading
import types

import mmengine.utils.dl_utils
import pytest
import torch
from mmengine.fileio import BaseStorageBackend, register_backend
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModule
from mmengine.runner import checkpoint as host
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from icckd_mm.compat.safe_download import load_url
from icckd_mm.compat.safe_load import load_checkpoint_safely


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with a good file, which torch's own reader refuses, and a hostile one; caches lie beside it."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    monkeypatch.setenv('MMENGINE_HOME', str(tmp_path / 'mmengine'))
    folder = tmp_path / 'files'
    folder.mkdir()
    state = torch.nn.Linear(2, 1).state_dict()
    torch.save({'state_dict': state, 'message_hub': {'log': HistoryBuffer([1.0], [1])}}, folder / 'good.pth')
    torch.save({'state_dict': state, 'meta': Hostile(tmp_path / 'marker')}, folder / 'hostile.pth')
    return folder


@pytest.fixture
def served(files):
    """The address of a server of these files."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=str(files)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def loads_only_the_good_one(files, tmp_path):
    """A check of ``address(name)``, given the name of a file."""

    def check(address, load=CheckpointLoader.load_checkpoint):
        good = load(address('good.pth'), map_location='cpu')
        assert good['state_dict'].keys() == {'weight', 'bias'}
        assert torch.equal(good['state_dict']['weight'], load_checkpoint_safely(files / 'good.pth')['state_dict']['weight'])
        with pytest.raises(pickle.UnpicklingError, match=r'asks for (posix|nt)\.mkdir, which could run code'):
            load(address('hostile.pth'), map_location='cpu')
        assert not (tmp_path / 'marker').exists()

    return check


def test_the_hostile_file_is_hostile(files, tmp_path):
    torch.load(files / 'hostile.pth', weights_only=False)
    assert (tmp_path / 'marker').exists()


def kept(folder):
    """Names of the files in a cache without the hash of their address."""
    return sorted(path.name.partition('_')[2] for path in folder.iterdir())


def test_http(served, files, loads_only_the_good_one, tmp_path):
    loads_only_the_good_one(lambda name: f'{served}/{name}?download=1')
    assert kept(tmp_path / 'torch/hub/checkpoints') == ['good.pth']  # a file that does not load is not kept
    (files / 'good.pth').unlink()  # the second time comes from the cache
    assert 'state_dict' in CheckpointLoader.load_checkpoint(f'{served}/good.pth?download=1')


@pytest.mark.parametrize('other', ['b/epoch_15.pth', 'a/epoch_15.pth?version=2', '/a/epoch_15.pth', 'epoch_15.pth'])
def test_addresses_that_end_alike_are_told_apart(served, files, other):
    for number, folder in enumerate(('a', 'b', '.')):
        (files / folder).mkdir(exist_ok=True)
        torch.save({'x': number}, files / folder / 'epoch_15.pth')
    assert CheckpointLoader.load_checkpoint(f'{served}/a/epoch_15.pth') == {'x': 0}
    torch.save({'x': 3}, files / 'a/epoch_15.pth')
    assert CheckpointLoader.load_checkpoint(f'{served}/{other}') != {'x': 0}
    assert CheckpointLoader.load_checkpoint(f'{served}/a/epoch_15.pth') == {'x': 0}  # kept


def test_a_file_that_somebody_put_into_the_folder_counts_if_its_hash_is_right(served, files, tmp_path):
    folder = tmp_path / 'torch/hub/checkpoints'
    folder.mkdir(parents=True)
    content = (files / 'good.pth').read_bytes()
    right = hashlib.sha256(content).hexdigest()[:8]
    for name in (f'net-{right}.pth', 'net-01234567.pth', 'net.pth', 'net-.pth', f'net-{right[:4]}.pth'):
        (folder / name).write_bytes(content)
    assert 'state_dict' in load_url(f'{served}/absent/net-{right}.pth')
    for name in ('net-01234567.pth', 'net.pth', 'net-.pth', f'net-{right[:4]}.pth'):
        with pytest.raises(ConnectionError):
            load_url(f'{served}/absent/{name}')


def test_a_name_that_was_asked_for_is_the_name(served, tmp_path):
    load_url(f'{served}/good.pth', model_dir=str(tmp_path / 'own'), file_name='mine.pth', progress=False)
    assert [path.name for path in (tmp_path / 'own').iterdir()] == ['mine.pth']
    assert 'state_dict' in load_url(f'{served}/absent.pth', model_dir=str(tmp_path / 'own'), file_name='mine.pth')


@pytest.mark.parametrize('function', [load_url, mmengine.utils.dl_utils.load_url, host.load_url, host.load_from_http])
def test_every_function_that_downloads(served, loads_only_the_good_one, tmp_path, function):
    loads_only_the_good_one(lambda name: f'{served}/{name}', functools.partial(function, model_dir=str(tmp_path / 'own')))
    assert kept(tmp_path / 'own') == ['good.pth']


def test_a_hash_in_the_name_is_compared_if_wanted(served, files, tmp_path):
    right = f'net-{hashlib.sha256((files / "good.pth").read_bytes()).hexdigest()[:8]}.pth'
    for name in (right, 'net-01234567.pth'):
        (files / name).write_bytes((files / 'good.pth').read_bytes())
    assert load_url(f'{served}/{right}', check_hash=True, progress=False).keys() == {'state_dict', 'message_hub'}
    with pytest.raises(RuntimeError, match='invalid hash value'):
        load_url(f'{served}/net-01234567.pth', check_hash=True, progress=False)
    assert kept(tmp_path / 'torch/hub/checkpoints') == [right]
    load_url(f'{served}/net-01234567.pth', progress=False)


def test_what_is_not_there(served, tmp_path):
    with pytest.raises(ConnectionError, match=rf'{served}/absent\.pth could not be downloaded.*404'):
        CheckpointLoader.load_checkpoint(f'{served}/absent.pth')
    with pytest.raises(ConnectionError, match='could not be downloaded'):
        CheckpointLoader.load_checkpoint('http://127.0.0.1:9/absent.pth')
    assert not list((tmp_path / 'torch/hub/checkpoints').iterdir())


def test_a_damaged_download_is_named_and_not_kept(served, files, tmp_path):
    whole = (files / 'good.pth').read_bytes()
    (files / 'cut.pth').write_bytes(whole[:500])
    with pytest.raises(ValueError, match=f'damaged.* came from {re.escape(served)}/cut.pth and was not kept'):
        CheckpointLoader.load_checkpoint(f'{served}/cut.pth')
    assert kept(tmp_path / 'torch/hub/checkpoints') == []
    (files / 'cut.pth').write_bytes(whole)
    assert 'state_dict' in CheckpointLoader.load_checkpoint(f'{served}/cut.pth')


@pytest.mark.parametrize('scheme', ['torchvision', 'modelzoo', 'openmmlab', 'open-mmlab', 'mmcls'])
def test_names_of_model_zoos_that_stand_for_addresses(served, files, loads_only_the_good_one, monkeypatch, scheme):
    addresses = {name: f'{served}/{name}' for name in ('good.pth', 'hostile.pth')}
    for getter in ('get_torchvision_models', 'get_external_models', 'get_mmcls_models'):
        monkeypatch.setattr(host, getter, lambda: addresses)
    if scheme == 'mmcls':  # keeps the backbone only, renamed
        state = load_checkpoint_safely(files / 'good.pth')['state_dict']
        torch.save({f'backbone.{name}': value for name, value in state.items()}, files / 'backbone.pth')
        addresses['good.pth'] = f'{served}/backbone.pth'
    loads_only_the_good_one(lambda name: f'{scheme}://{name}')


def test_names_of_model_zoos_that_stand_for_local_files(files, loads_only_the_good_one, tmp_path):
    home = tmp_path / 'mmengine'
    home.mkdir()
    (home / 'open_mmlab.json').write_text('{"good.pth": "../files/good.pth", "hostile.pth": "../files/hostile.pth"}')
    loads_only_the_good_one(lambda name: f'openmmlab://{name}')


def test_object_stores(files, loads_only_the_good_one):
    """A storage of our own under mmengine's name of the backend, for which no public client exists."""

    class Store(BaseStorageBackend):
        def get(self, path):
            return (files / path.rsplit('/', 1)[-1]).read_bytes()

        def get_text(self, path):
            raise NotImplementedError

    register_backend('stub', Store, prefixes=['s3', 'petrel', 'cluster:s3'], force=True)
    load = functools.partial(host.load_from_ceph, backend='stub')
    loads_only_the_good_one(lambda name: f's3://bucket/{name}', load)
    assert CheckpointLoader._get_checkpoint_loader('cluster:s3://bucket/x') is host.load_from_ceph


def test_pavi(files, loads_only_the_good_one, monkeypatch):
    """The client of the model cloud is not public; mmengine calls two of its functions."""

    class Model:
        def __init__(self, name):
            self.name = name

        def download(self, path):
            with open(path, 'wb') as file:
                file.write((files / self.name).read_bytes())

    monkeypatch.setitem(sys.modules, 'pavi', types.SimpleNamespace(modelcloud=types.SimpleNamespace(get=Model)))
    loads_only_the_good_one(lambda name: f'pavi://{name}')


def test_streams(files, loads_only_the_good_one):
    loads_only_the_good_one(lambda name: io.BytesIO((files / name).read_bytes()), load_checkpoint_safely)
    with pytest.raises(ValueError, match='the stream is damaged'):
        load_checkpoint_safely(io.BytesIO(b'no checkpoint'))


def test_ways_into_a_model(served, files, tmp_path):
    """``load_from``, ``teacher_ckpt`` and ``get_model(pretrained=URL)`` call ``load_checkpoint``; then ``init_cfg``."""

    class Net(BaseModule):
        def __init__(self, checkpoint):
            super().__init__(init_cfg={'type': 'Pretrained', 'checkpoint': checkpoint})
            self.weight, self.bias = torch.nn.Parameter(torch.zeros(1, 2)), torch.nn.Parameter(torch.zeros(1))

    def by_config(model, address):
        model.init_weights()

    for load in (load_checkpoint, by_config):
        model = Net(f'{served}/good.pth')
        load(model, f'{served}/good.pth')
        assert torch.equal(model.weight, load_checkpoint_safely(files / 'good.pth')['state_dict']['weight'])
        model = Net(f'{served}/hostile.pth')
        with pytest.raises(pickle.UnpicklingError, match='could run code'):
            load(model, f'{served}/hostile.pth')
        assert not (tmp_path / 'marker').exists()
        assert not model.weight.any()


def test_pretrained_of_mmpretrain(served, tmp_path):
    from mmengine.registry import DefaultScope
    from mmpretrain import get_model

    DefaultScope.overwrite_default_scope('mmpretrain')
    with pytest.raises(pickle.UnpicklingError, match='could run code'):
        get_model('mobilenet-v2_8xb32_in1k', pretrained=f'{served}/hostile.pth', device='cpu')
    assert not (tmp_path / 'marker').exists()


def test_a_scheme_of_somebody_stays():
    CheckpointLoader.register_scheme('mine://', lambda filename, map_location: {'mine': filename})
    try:
        assert CheckpointLoader.load_checkpoint('mine://x', logger=None) == {'mine': 'mine://x'}
    finally:
        del CheckpointLoader._schemes['mine://']


def test_no_loader_of_mmengine_sees_the_ordinary_function():
    assert host.torch.load is not torch.load
    assert host.torch.save is torch.save
    assert host.load_url is load_url


UNMENDED = """
import http.server, os, sys, threading, torch, functools
class Hostile:
    def __reduce__(self):
        return os.mkdir, ('marker',)
torch.save(Hostile(), 'hostile.pth')
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
from mmengine.runner.checkpoint import CheckpointLoader
try:
    CheckpointLoader.load_checkpoint(f'http://127.0.0.1:{server.server_port}/hostile.pth')
except Exception:
    pass
report(os.path.exists('marker'))
"""


def test_mmengine_alone_still_runs_code_from_the_net(python, tmp_path):
    assert python(UNMENDED, TORCH_HOME=str(tmp_path)), 'mmengine downloads safely: safe_download.py can go'
