import shutil

import pytest
import torch

from icckd_mm.engine.exact.checkpoint_search import newest_checkpoint
from tests.helpers import train


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('trained')
    train(folder, epochs=3, images=8)
    return folder


@pytest.fixture
def work_dir(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / 'work_dir')


def test_the_newest_of_whole_files(work_dir):
    assert newest_checkpoint(work_dir) == (work_dir / 'epoch_3.pth', [])


def test_last_checkpoint_may_be_missing_or_wrong(work_dir):
    """Reliability test 15."""
    (work_dir / 'last_checkpoint').unlink()
    assert newest_checkpoint(work_dir)[0] == work_dir / 'epoch_3.pth'
    for text in ('', 'epoch_1.pth', '/nowhere/epoch_9.pth', '\0\0'):
        (work_dir / 'last_checkpoint').write_text(text)
        assert newest_checkpoint(work_dir)[0] == work_dir / 'epoch_3.pth'


def test_a_truncated_file_is_passed_over_with_the_reason(work_dir):
    """Reliability test 15."""
    content = (work_dir / 'epoch_3.pth').read_bytes()
    (work_dir / 'epoch_3.pth').write_bytes(content[: len(content) // 2])
    (work_dir / 'epoch_2.pth').write_bytes(b'')
    file, (third, second) = newest_checkpoint(work_dir)
    assert file == work_dir / 'epoch_1.pth'
    assert 'epoch_3.pth is skipped' in third
    assert 'is damaged' in third
    assert 'epoch_2.pth is skipped' in second


def test_one_flipped_bit_in_the_weights_is_found(work_dir):
    """torch.load does not notice."""
    weights = torch.load(work_dir / 'epoch_3.pth', weights_only=True)['state_dict']['backbone.conv1.weight']
    content = bytearray((work_dir / 'epoch_3.pth').read_bytes())
    content[content.index(weights.numpy().tobytes())] ^= 1
    (work_dir / 'epoch_3.pth').write_bytes(content)
    changed = torch.load(work_dir / 'epoch_3.pth', weights_only=True)['state_dict']['backbone.conv1.weight']
    assert (changed != weights).sum() == 1
    file, (refused,) = newest_checkpoint(work_dir)
    assert file == work_dir / 'epoch_2.pth'
    assert 'is damaged' in refused
    assert 'Bad CRC-32' in refused


def test_numbers_count_not_letters(work_dir):
    shutil.copy(work_dir / 'epoch_3.pth', work_dir / 'epoch_10.pth')
    assert newest_checkpoint(work_dir)[0] == work_dir / 'epoch_10.pth'


def test_the_iteration_decides_between_series(work_dir):
    checkpoint = torch.load(work_dir / 'epoch_3.pth', weights_only=True)
    checkpoint['meta']['iter'] += 1
    torch.save(checkpoint, work_dir / 'iter_4.pth')
    assert newest_checkpoint(work_dir)[0] == work_dir / 'iter_4.pth'


def test_files_without_optimizer_do_not_count(work_dir):
    checkpoint = torch.load(work_dir / 'epoch_3.pth', weights_only=True)
    torch.save({'state_dict': checkpoint['state_dict'], 'meta': checkpoint['meta']}, work_dir / 'epoch_9.pth')
    torch.save(checkpoint, work_dir / 'best_accuracy_top1_epoch_9.pth')
    file, (refused,) = newest_checkpoint(work_dir)
    assert file == work_dir / 'epoch_3.pth'
    assert 'it has no message_hub, optimizer' in refused


def test_another_folder_for_checkpoints_is_followed(work_dir, tmp_path):
    elsewhere = tmp_path / 'elsewhere' / 'work_dir'
    shutil.move(work_dir, elsewhere)
    work_dir.mkdir()
    (work_dir / 'last_checkpoint').write_text(str(elsewhere / 'epoch_2.pth'))
    assert newest_checkpoint(work_dir)[0] == elsewhere / 'epoch_3.pth'


def test_nothing_is_no_error_but_only_broken_files_are(work_dir, tmp_path):
    assert newest_checkpoint(tmp_path / 'not there') == (None, [])
    for file in work_dir.glob('*.pth'):
        file.write_bytes(b'broken')
    with pytest.raises(ValueError, match=r'name one with --resume FILE.*epoch_3\.pth.*epoch_1\.pth'):
        newest_checkpoint(work_dir)
