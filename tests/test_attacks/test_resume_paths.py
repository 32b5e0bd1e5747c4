"""Paths that a file names are not deleted, read or written; a copied work dir does not change its original."""

import os
import shutil

import pytest
import torch

from icckd_mm.compat.own_paths import confine, find_latest_checkpoint
from icckd_mm.engine.exact.atomic_backend import AtomicBackend
from icckd_mm.engine.exact.checkpoint_search import newest_checkpoint
from icckd_mm.zoo.network import find_checkpoint

STOCK = dict(checkpoint=dict(type='CheckpointHook', interval=1, save_best='auto', max_keep_ckpts=1))


def next_score_is_best(content):
    content['message_hub']['runtime_info']['best_score'] = -1.0


@pytest.fixture
def precious(tmp_path):
    """A folder and a file of somebody else."""
    folder = tmp_path / 'precious'
    folder.mkdir()
    (folder / 'best_accuracy_top1_epoch_1.pth').write_text('mine')
    (folder / 'thesis.tex').write_text('mine')
    return folder


def untouched(folder):
    return sorted(file.read_text() for file in folder.iterdir()) == ['mine', 'mine']


@pytest.mark.parametrize('hook', ['ours', 'stock'])
@pytest.mark.parametrize('target', ['folder', 'file', 'own name', 'up'])
def test_a_best_checkpoint_elsewhere_is_not_deleted(run, precious, target, hook):
    """Both hooks of both names: mmengine's removes a folder as a whole."""
    path = {
        'folder': str(precious),
        'file': str(precious / 'thesis.tex'),
        'own name': str(precious / 'best_accuracy_top1_epoch_1.pth'),
        'up': f'{run.folder}/../precious/thesis.tex',
    }[target]

    def change(content):
        next_score_is_best(content)
        content['message_hub']['runtime_info'].update(best_ckpt=path, last_ckpt=path)

    run.forge(change)
    runner = run.resume(**(dict(default_hooks=STOCK) if hook == 'stock' else {}))
    assert untouched(precious)
    assert os.path.dirname(runner.message_hub.get_info('best_ckpt')) == str(run.folder)
    assert os.path.dirname(runner.message_hub.get_info('last_ckpt')) == str(run.folder)


def test_a_copy_of_a_work_dir_replaces_its_own_best_and_leaves_the_original(run, tmp_path):
    copy = shutil.copytree(run.folder, tmp_path / 'A2')
    content = torch.load(copy / 'epoch_2.pth', weights_only=True)
    content['message_hub']['runtime_info'].update(best_ckpt=str(run.best), last_ckpt=str(run.file))
    next_score_is_best(content)
    torch.save(content, copy / 'epoch_2.pth')
    before = sorted(file.name for file in run.folder.glob('*.pth'))
    run.resume(work_dir=copy, load_from=str(copy / 'epoch_2.pth'))
    assert sorted(file.name for file in run.folder.glob('*.pth')) == before
    best, last = sorted(file.name for file in copy.glob('*.pth'))
    assert last == 'epoch_3.pth'
    assert best.startswith('best_')
    assert best != run.best.name
    assert (copy / 'last_checkpoint').read_text() == str(copy / 'epoch_3.pth')


def test_several_metrics_are_confined_each(tmp_path):
    folder = str(tmp_path)
    (tmp_path / 'best_acc_epoch_1.pth').touch()
    info = {
        'best_ckpt_acc': '/elsewhere/best_acc_epoch_1.pth',
        'best_ckpt_loss': '/elsewhere/best_loss_epoch_1.pth',
        'best_ckpt': 'C:\\runs\\best_acc_epoch_1.pth',
        'last_ckpt': '/elsewhere/thesis.tex',
        'keep_ckpt_ids': [1, 2],
        'best_score': 1,
    }
    confine(info, folder, 'epoch_{}.pth')
    own = f'{folder}/best_acc_epoch_1.pth'
    assert info == {'best_ckpt_acc': own, 'best_ckpt': own, 'keep_ckpt_ids': [1, 2], 'best_score': 1}


@pytest.mark.parametrize(
    'name',
    ['', '.', '..', '../best_a_epoch_1.pth', 'best_a_epoch_1.pth/', 'best_a_epoch_1', 'best_a_epoch_1.pth.bak', 'epoch_1.pth'],
)
def test_only_names_that_the_hook_gives_count(name, tmp_path):
    info = {'best_ckpt': name}
    confine(info, str(tmp_path / 'A'), 'epoch_{}.pth')
    assert info == {}


def test_a_long_list_of_files_to_delete_does_not_stop_the_run(tmp_path):
    info = {'keep_ckpt_ids': list(range(300_000))}
    confine(info, str(tmp_path), 'epoch_{}.pth')
    assert info['keep_ckpt_ids'] == list(range(299_000, 300_000))


def test_folders_are_never_deleted(run, tmp_path):
    """Of the name of an old checkpoint, too."""
    (run.folder / 'epoch_1.pth').mkdir()
    (run.folder / 'epoch_1.pth' / 'thesis.tex').touch()
    run.forge(lambda content: content['message_hub']['runtime_info'].update(keep_ckpt_ids=[1, 2]))
    run.resume(2)
    assert (run.folder / 'epoch_1.pth' / 'thesis.tex').exists()
    AtomicBackend().rmtree(tmp_path)
    assert tmp_path.is_dir()


def test_last_checkpoint_of_a_copy_names_its_own_file(run, tmp_path):
    copy = shutil.copytree(run.folder, tmp_path / 'A2')
    assert (copy / 'last_checkpoint').read_text().endswith('A/epoch_2.pth')
    assert find_latest_checkpoint(str(copy)) == str(find_checkpoint(copy)) == str(copy / 'epoch_2.pth')
    assert run.resume(work_dir=copy, load_from=None).iter == 12  # Runner(resume=True) finds it alone
    assert (copy / 'last_checkpoint').read_text() == str(copy / 'epoch_3.pth')
    assert newest_checkpoint(copy)[0] == copy / 'epoch_3.pth'


def test_last_checkpoint_that_names_a_file_of_another_run_is_refused(run, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    for text in (str(run.file), f'../A/{run.file.name}', f'{other}/../A/{run.file.name}'):
        (other / 'last_checkpoint').write_text(text)
        if os.path.isfile(text):
            for search in (find_latest_checkpoint, newest_checkpoint, find_checkpoint):
                with pytest.raises(ValueError, match=r'last_checkpoint names .*epoch_2\.pth.?, which is not in'):
                    search(str(other))
    for text in ('', '\0', 'x' * 10_000, '/nowhere/epoch_1.pth', 'http://example.org/other/epoch_1.pth', '..'):
        (other / 'last_checkpoint').write_text(text)
        assert newest_checkpoint(other) == (None, [])


def test_mmengine_without_the_patch_deletes_the_folder(run, precious, python):
    """The patch is still needed: once this fails, compat/own_paths.py can be removed."""
    del run
    code = f"""
import os
from collections import deque
from types import SimpleNamespace
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub
hub = MessageHub.get_instance('x')
hub.update_info('best_ckpt', {str(precious)!r})
runner = SimpleNamespace(work_dir='.', message_hub=hub, epoch=1, iter=1, save_checkpoint=lambda *a, **k: None,
                         logger=SimpleNamespace(info=print))
hook = CheckpointHook(save_best='acc', rule='greater')
hook.before_train(runner)
hook._save_best_checkpoint(runner, {{'acc': 1.0}})
report(os.path.exists({str(precious)!r}))
"""
    assert python(code) is False
    precious.mkdir()
    assert python('import icckd_mm\n' + code) is True
