"""Configs in checkpoints and published folders that would build what is not registered: nothing of it runs."""

import copy
import os
import pickle
import re
import shutil
from pathlib import Path

import pytest
from mmengine.config import Config

from icckd_mm.lab.analysis.run import AnalysedRun
from icckd_mm.zoo.entry_files import write_entry
from icckd_mm.zoo.network import take_network
from icckd_mm.zoo.verify import verify

from .forged import EVIL_MODULE, MARKER, assignments, at, evil_files, run_config, write_run

REFUSED = re.compile(r'refused|does not describe a classifier')
DATA, STEPS = 'test_dataloader.dataset', 'test_dataloader.dataset.pipeline'
MKDIR = dict(type='os.mkdir', path='{marker}')
EVAL = "float32 if __import__('os').mkdir('{marker}') is None else 0"
ATTACKS = {  # where, what
    'backbone': ('model.backbone', MKDIR),
    'backbone of a shell': ('model.backbone', dict(type='os.system', command='mkdir {marker}')),
    'backbone of a process': ('model.backbone', dict(type='subprocess.Popen', args=['mkdir', '{marker}'])),
    'backbone of a script': ('model.backbone', dict(type='runpy.run_path', path_name='{folder}/script.py')),
    'backbone of a config': ('model.backbone', dict(type='mmengine.Config.fromfile', filename='{folder}/script.py')),
    'backbone of a hub': ('model.backbone', dict(type='torch.hub.load', repo_or_dir='{folder}', model='net', source='local')),
    'backbone of builtins': ('model.backbone', dict(type='builtins.eval', source='1')),
    'backbone in a list': ('model.backbone', [MKDIR]),
    'module by its name': ('model.backbone.type', EVIL_MODULE),
    'module with a class': ('model.backbone.type', f'{EVIL_MODULE}.net'),
    'scope': ('model.backbone._scope_', 'evil_scope'),
    'prefix': ('model.backbone.type', 'evil_scope.Net'),
    'type is a list': ('model.backbone.type', ['os.mkdir']),
    'type is a dict': ('model.backbone.type', MKDIR),
    'type is a number': ('model.backbone.type', 5),
    'hook as backbone': ('model.backbone', dict(type='mmengine.EMAHook')),
    'data set as backbone': ('model.backbone', dict(type='icckd_mm.Digits')),
    'function of this package': ('model.backbone', dict(type='icckd_mm.engine.exact.atomic_backend.write_atomically')),
    'algorithm as backbone': ('model.backbone', dict(type='icckd_mm.SafeTeacherDistill', teacher_ckpt='{folder}/a.pth')),
    'download': ('model.backbone', dict(type='mmpretrain.TIMMBackbone', model_name='resnet18', pretrained=True)),
    'norm of a backbone': ('model.backbone.norm_cfg', MKDIR),
    'argument that becomes a type': (
        'model.backbone',
        dict(
            type='VisionTransformer', arch='deit-tiny', img_size=8, patch_size=4, patch_cfg=dict(conv_type=f'{EVIL_MODULE}.net')
        ),
    ),
    'config of a package': ('model.backbone', dict(cfg_path='mmpretrain::resnet/resnet18_8xb32_in1k.py')),
    'neck': ('model.neck', MKDIR),
    'head': ('model.head', MKDIR),
    'init of a head': ('model.head.init_cfg', MKDIR),
    'classifier': ('model.type', 'os.mkdir'),
    'data set': (DATA, MKDIR),
    'data set in a wrapper': (DATA, dict(type='icckd_mm.ClassMap', classes=[0], dataset=MKDIR)),
    'pickled annotations': (DATA, dict(type='mmengine.BaseDataset', ann_file='{folder}/ann.pkl')),
    'annotations called pkl': (DATA, dict(type='mmengine.BaseDataset', ann_file='pkl')),
    'annotations in unsafe YAML': (DATA, dict(type='mmengine.BaseDataset', ann_file='{folder}/ann.yaml')),
    'address': (DATA, dict(type='CustomDataset', data_root='http://127.0.0.1:9/x')),
    'remote files': (DATA, dict(type='CustomDataset', data_root='x', backend_args=dict(backend='petrel'))),
    'file as class names': (f'{DATA}.metainfo', dict(classes='/etc/hostname')),
    'step': (f'{STEPS}.0', MKDIR),
    'step in a step': (f'{STEPS}.0', dict(type='RandomApply', transforms=[MKDIR], prob=1.0)),
    'step that evaluates': (f'{STEPS}.0', dict(type='torchvision/ConvertImageDtype', dtype=EVAL)),
    'step of another package': (f'{STEPS}.0', dict(type='Albu', transforms=[dict(type='from_dict')])),
    'metric as step': (f'{STEPS}.0', dict(type='Accuracy')),
    'sampler': ('test_dataloader.sampler', MKDIR),
    'batch sampler': ('test_dataloader.batch_sampler', MKDIR),
    'collate function': ('test_dataloader.collate_fn', MKDIR),
    'start of a worker': ('test_dataloader.worker_init_fn', MKDIR),
    'image of 10 GB': (f'{STEPS}.0', dict(type='Resize', scale=60_000)),
    'key that is code': (f'{DATA}.metainfo', {"a': __import__('os').mkdir('{marker}'), 'b": [1]}),
}
ONLY_PUBLISHED = {
    'metric': ('test_evaluator', MKDIR),
    'metric that writes': ('test_evaluator', dict(type='DumpResults', out_file_path='{marker}')),
}
NOT_BUILT = {
    'loss': ('model.head.loss', MKDIR),
    'data preprocessor': ('model.data_preprocessor.type', 'os.mkdir'),
    'hook': ('custom_hooks', [MKDIR]),
    'optimizer': ('optim_wrapper', dict(optimizer=MKDIR)),
    'visualizer': ('visualizer', MKDIR),
    'schedule': ('param_scheduler', [MKDIR]),
    'augmentation of a batch': ('model.train_cfg', dict(augments=MKDIR)),
}


class Evil:
    def __reduce__(self):
        return os.mkdir, (MARKER,)


@pytest.fixture
def arena(tmp_path, monkeypatch):
    """A working folder full of traps, all of which make :data:`MARKER` in it."""
    evil_files(tmp_path)
    (tmp_path / 'ann.pkl').write_bytes(pickle.dumps(Evil()))
    (tmp_path / 'pkl').write_bytes(pickle.dumps(Evil()))
    (tmp_path / 'ann.yaml').write_text(f'!!python/object/apply:os.mkdir [{MARKER}]')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def filled(value, folder):
    """The value with the paths of a test in it."""
    if isinstance(value, dict):
        return {filled(key, folder): filled(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, folder) for item in value]
    if isinstance(value, str):
        return value.replace('{marker}', str(folder / MARKER)).replace('{folder}', str(folder))
    return value


def forged_run(folder, where, what):
    cfg = run_config(folder)
    at(cfg, where, filled(copy.deepcopy(what), folder))
    return write_run(folder / 'run', cfg)


def publish_from(path, folder):
    """What ``publish`` does before it starts another process, and what anybody does with its config."""
    (folder / 'out').mkdir()
    write_entry(take_network(path), 'tiny', folder / 'out')
    Config.fromfile(folder / 'out' / 'tiny.py')


@pytest.mark.parametrize('name', [*ATTACKS, *ONLY_PUBLISHED])
def test_a_run_that_would_build_something_else_is_not_published(arena, name):
    path = forged_run(arena, *{**ATTACKS, **ONLY_PUBLISHED}[name])
    with pytest.raises(ValueError, match=REFUSED) as caught:
        publish_from(path, arena)
    assert '\n' not in str(caught.value)
    assert not (arena / MARKER).exists()


@pytest.mark.parametrize('name', ATTACKS)
def test_a_run_that_would_build_something_else_is_not_reported(arena, name):
    path = forged_run(arena, *ATTACKS[name])
    with pytest.raises(ValueError, match=REFUSED):
        _ = AnalysedRun(path, 'run').space
    assert not (arena / MARKER).exists()


@pytest.mark.parametrize('name', NOT_BUILT)
def test_what_is_of_training_is_never_built(arena, name):
    path = forged_run(arena, *NOT_BUILT[name])
    publish_from(path, arena)
    assert 'os.mkdir' not in (arena / 'out' / 'tiny.py').read_text()
    assert not (arena / MARKER).exists()


@pytest.fixture(scope='module')
def pristine(tmp_path_factory):
    folder = tmp_path_factory.mktemp('entry')
    path = write_run(folder / 'run', run_config(folder))
    (folder / 'out').mkdir()
    write_entry(take_network(path), 'tiny', folder / 'out', metrics=False)
    return folder / 'out'


def first_fault(folder):
    (checks,) = [verify(folder, metrics=False)]
    return checks[-1]


@pytest.mark.parametrize('name', ATTACKS)
def test_a_published_folder_that_would_build_something_else_is_not_used(pristine, arena, name):
    """As it comes from anybody; in a process of its own it would be built by mmpretrain."""
    folder = arena / 'entry'
    shutil.copytree(pristine, folder)
    cfg = Config.fromfile(folder / 'tiny.py').to_dict()
    where, what = ATTACKS[name]
    at(cfg, where, filled(copy.deepcopy(what), arena))
    (folder / 'tiny.py').write_text(assignments(cfg))
    what, passed, detail = first_fault(folder)
    assert (what, passed) == ('config', False)
    assert 'ValueError' in detail
    assert not (arena / MARKER).exists()


CODE = {
    'statement': "import os\nos.mkdir('{marker}')\n",
    'expression': "x = __import__('os').mkdir('{marker}')\n",
    'base': "_base_ = ['{folder}/script.py']\n",
    'import': f"custom_imports = dict(imports=['{EVIL_MODULE}'])\n",
    'hook': "custom_hooks = [dict(type='os.mkdir', path='{marker}')]\n",
    'variable': "default_scope = '{{fileDirname}}'\n",
    'loader of weights': "load_from = '{folder}/a.pth'\n",
}


@pytest.mark.parametrize('name', CODE)
def test_a_published_config_is_not_a_program(pristine, arena, name):
    folder = arena / 'entry'
    shutil.copytree(pristine, folder)
    with open(folder / 'tiny.py', 'a') as file:
        file.write(filled(CODE[name], arena))
    assert first_fault(folder)[:2] == ('config', False)
    assert not (arena / MARKER).exists()


def test_a_folder_cannot_name_files_outside_of_it(pristine, arena):
    folder = arena / 'entry'
    shutil.copytree(pristine, folder)
    text = (folder / 'metafile.yml').read_text()
    (folder / 'metafile.yml').write_text(text.replace('Config: tiny.py', 'Config: ../script.py'))
    assert first_fault(folder)[:2] == ('config', False)
    assert not (arena / MARKER).exists()


def test_a_network_far_larger_than_its_weights_is_not_made(arena):
    path = forged_run(arena, 'model.backbone.widths', [4, 4, 8, 6000])  # 1.3 GB a convolution
    with pytest.raises(ValueError, match='far larger than the weights'):
        publish_from(path, arena)


def test_a_network_of_very_many_layers_is_not_made(arena):
    arch = dict(embed_dims=8, num_layers=10**5, num_heads=1, feedforward_channels=8)
    path = forged_run(arena, 'model.backbone', dict(type='VisionTransformer', arch=arch, img_size=8, drop_path_rate=0.0))
    with pytest.raises(ValueError, match='far larger than the weights'):
        publish_from(path, arena)


def test_weights_that_a_config_names_are_left_out(arena, monkeypatch):
    """They are in the checkpoint; another file is not opened for them."""
    cfg = run_config(arena)
    cfg['model']['pretrained'] = f'{arena}/a.pth'
    cfg['model']['neck']['init_cfg'] = dict(type='Pretrained', checkpoint=f'{arena}/a.pth')
    publish_from(write_run(arena / 'run', cfg), arena)
    assert 'a.pth' not in (arena / 'out' / 'tiny.py').read_text()


def test_the_last_checkpoint_is_that_of_the_work_dir(arena):
    """A copy of a work dir still names the files of the original, and a forged one any file."""
    elsewhere = write_run(arena / 'first', run_config(arena))
    copied = arena / 'second'
    copied.mkdir()
    (copied / 'last_checkpoint').write_text(str(elsewhere))
    with pytest.raises(ValueError, match='which is not in'):
        take_network(copied)
    shutil.copy(elsewhere, copied)
    assert take_network(copied).checkpoint == Path(copied) / 'epoch_1.pth'
