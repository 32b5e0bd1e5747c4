"""Made-up checkpoints: a small classifier, and a config that a test chooses."""

import copy

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from tests.helpers import CONV, config

MARKER = 'this-was-executed'
EVIL_MODULE = 'evil_by_import'


def run_config(folder):
    """The config of a run, as plain values."""
    return config(folder, copy.deepcopy(CONV), validate=True).to_dict()


def weights():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(copy.deepcopy(CONV)).state_dict()


def assignments(cfg):
    """The config as Python; unlike mmengine's text, every key and value is quoted."""
    return ''.join(f'{key} = {value!r}\n' for key, value in cfg.items())


def write_run(folder, cfg, **meta):
    """A checkpoint with that config; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    text = cfg if isinstance(cfg, str) else assignments(cfg)
    kept = {'cfg': text, 'epoch': 1, 'iter': 4, 'seed': 0, 'time': '20260101_000000', 'experiment_name': 'run_20260101_000000'}
    torch.save({'meta': {**kept, **meta}, 'state_dict': weights()}, folder / 'epoch_1.pth')
    return folder / 'epoch_1.pth'


def at(cfg, path, value):
    """Put a value at a dotted path."""
    *parents, last = path.split('.')
    for part in parents:
        cfg = cfg[int(part) if isinstance(cfg, list) else part]
    cfg[int(last) if isinstance(cfg, list) else last] = value


def evil_files(folder):
    """A module, a script and a hub that leave the marker when they run."""
    mark = f'import pathlib; pathlib.Path({str(folder / MARKER)!r}).touch()\n'
    for name in (f'{EVIL_MODULE}.py', 'script.py', 'hubconf.py'):
        (folder / name).write_text(f'{mark}def net():\n    pass\n')
    (folder / 'evil_scope').mkdir()
    (folder / 'evil_scope' / '__init__.py').write_text(mark)
    (folder / 'evil_scope' / 'registry.py').write_text('')
