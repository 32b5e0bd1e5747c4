import os
import random
import resource
import signal
import time
from contextlib import contextmanager

import pytest
import torch
from mmengine.fileio import get_file_backend

from icckd_mm.engine.exact.atomic_backend import BACKEND, write_atomically
from icckd_mm.engine.exact.checkpoint_search import newest_checkpoint
from tests.helpers import build, train

KEEP_ONE = dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1, max_keep_ckpts=1, save_best='auto'))


@contextmanager
def room_for(size):
    """The kernel refuses to write files beyond ``size`` bytes, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder):
    return sorted(file.name for file in folder.iterdir() if file.is_file() and not file.name.endswith('.py'))


def test_a_file_is_written_in_full_or_not_at_all(tmp_path):
    """Reliability test 15: no space left."""
    file = tmp_path / 'folder' / 'file.bin'
    write_atomically(file, b'old')
    with room_for(1000), pytest.raises(OSError, match='File too large'):
        write_atomically(file, bytes(2000))
    assert file.read_bytes() == b'old'
    write_atomically(file, b'new')
    assert (file.read_bytes(), names(tmp_path / 'folder')) == (b'new', ['file.bin'])


def test_a_checkpoint_that_cannot_be_read_back_does_not_take_its_place(tmp_path):
    backend = get_file_backend(backend_args={'backend': BACKEND})
    torch.save({'a': torch.ones(3)}, tmp_path / 'good.pth')
    content = (tmp_path / 'good.pth').read_bytes()
    backend.put(content, tmp_path / 'file.pth')
    with pytest.raises(ValueError, match='is damaged'):
        backend.put(content[:-50], tmp_path / 'file.pth')
    assert torch.equal(torch.load(tmp_path / 'file.pth', weights_only=True)['a'], torch.ones(3))
    backend.put_text('epoch_1.pth', tmp_path / 'last_checkpoint')
    assert (tmp_path / 'last_checkpoint').read_text() == 'epoch_1.pth'


def test_a_kill_at_any_byte_leaves_a_whole_file(tmp_path):
    """Reliability test 15: a process that writes checkpoints all the time is killed thirty times."""
    backend = get_file_backend(backend_args={'backend': BACKEND})
    versions = []
    for value in range(2):
        torch.save({'a': torch.full((100_000,), float(value))}, tmp_path / f'{value}.bin')
        versions.append((tmp_path / f'{value}.bin').read_bytes())
    file = tmp_path / 'file.pth'
    backend.put(versions[0], file)
    cut = 0
    for seed in range(30):
        child = os.fork()
        if child == 0:
            while True:
                for version in versions:
                    backend.put(version, file)
        time.sleep(random.Random(seed).uniform(0.005, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        cut += len(list(tmp_path.glob('file.pth.*.partial')))  # the next child removes it
        assert file.read_bytes() in versions
    assert cut > 0  # the kill did hit the writing


def test_a_full_disk_loses_nothing(tmp_path):
    """Reliability test 15: max_keep_ckpts=1, where mmengine has deleted the old file by then."""
    train(tmp_path, epochs=1, default_hooks=KEEP_ONE, validate=True)
    before = names(tmp_path)
    runner = build(tmp_path, epochs=2, resume=True, default_hooks=KEEP_ONE, validate=True)
    with room_for(10_000), pytest.raises(OSError, match='File too large'):
        runner.train()
    assert names(tmp_path) == before == ['best_accuracy_top1_epoch_1.pth', 'epoch_1.pth', 'last_checkpoint']
    file, refused = newest_checkpoint(tmp_path)
    assert (file, refused) == (tmp_path / 'epoch_1.pth', [])
    again, _ = train(tmp_path, epochs=2, resume=True, default_hooks=KEEP_ONE, validate=True)
    assert again.iter == 8
    assert 'epoch_1.pth' not in names(tmp_path)


def test_the_old_file_goes_after_the_new_one_is_there(tmp_path, monkeypatch):
    """Between the two a kill leaves both, and the resumed run removes the old one."""
    from icckd_mm.engine.exact import checkpoint_hook as exact_checkpoint_hook

    def die(folder, outdated):
        raise KeyboardInterrupt(outdated)

    train(tmp_path, epochs=1, default_hooks=KEEP_ONE)
    monkeypatch.setattr(exact_checkpoint_hook, '_delete', die)
    with pytest.raises(KeyboardInterrupt, match=r'epoch_1\.pth'):
        train(tmp_path, epochs=2, resume=True, default_hooks=KEEP_ONE)
    monkeypatch.undo()
    assert names(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'last_checkpoint']
    train(tmp_path, epochs=3, resume=True, default_hooks=KEEP_ONE)
    assert names(tmp_path) == ['epoch_3.pth', 'last_checkpoint']


def test_what_a_kill_left_half_written_is_removed(tmp_path):
    (tmp_path / 'epoch_7.pth.partial').write_bytes(b'half')
    train(tmp_path, epochs=1, default_hooks=KEEP_ONE)
    assert names(tmp_path) == ['epoch_1.pth', 'last_checkpoint']


def test_the_previous_best_is_kept_until_the_next_is_written(tmp_path):
    train(tmp_path, epochs=1, default_hooks=KEEP_ONE, validate=True)
    runner = build(tmp_path, epochs=2, resume=True, default_hooks=KEEP_ONE, validate=True)
    (hook,) = (hook for hook in runner.hooks if type(hook).__name__ == 'ExactCheckpointHook')
    runner.train()
    with room_for(10_000), pytest.raises(OSError, match='File too large'):
        hook.after_val_epoch(runner, {'accuracy/top1': 101.0})
    assert (tmp_path / 'best_accuracy_top1_epoch_1.pth').exists() or (tmp_path / 'best_accuracy_top1_epoch_2.pth').exists()


def test_a_backend_of_the_users_choice_stays(tmp_path):
    hook = dict(type='icckd_mm.ExactCheckpointHook', interval=1, max_keep_ckpts=1, backend_args=dict(backend='local'))
    runner, _ = train(tmp_path, epochs=2, default_hooks=dict(checkpoint=hook))
    (hook,) = (hook for hook in runner.hooks if type(hook).__name__ == 'ExactCheckpointHook')
    assert type(hook.file_backend).__name__ == 'LocalBackend'
    assert names(tmp_path) == ['epoch_2.pth', 'last_checkpoint']
