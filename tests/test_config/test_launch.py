"""Where training starts; the whole command is tested in test_tools.py."""

import pytest
import torch
from mmengine.config import Config

from icckd_mm.config.launch import resume_from_newest, warn_of_earlier_run


@pytest.mark.parametrize(('weights', 'start'), [(None, 'scratch'), ('teacher.pth', 'the weights of teacher.pth')])
def test_without_a_checkpoint_training_starts_as_the_config_says(weights, start, tmp_path, capsys):
    """A teacher that is fine-tuned keeps the weights it starts from."""
    cfg = Config(dict(work_dir=str(tmp_path), load_from=weights))
    resume_from_newest(cfg)
    assert (cfg.resume, cfg.load_from) == (False, weights)
    assert f'training starts from {start}' in capsys.readouterr().out


def test_the_newest_whole_checkpoint_comes_before_other_weights(tmp_path, capsys):
    for epoch in (1, 2):
        torch.save(dict(state_dict={}, meta=dict(iter=epoch), optimizer={}, message_hub={}), tmp_path / f'epoch_{epoch}.pth')
    (tmp_path / 'epoch_3.pth').write_bytes(b'cut')
    cfg = Config(dict(work_dir=str(tmp_path), load_from='teacher.pth'))
    resume_from_newest(cfg)
    assert (cfg.resume, cfg.load_from) == (True, str(tmp_path / 'epoch_2.pth'))
    out = capsys.readouterr().out
    assert 'epoch_3.pth' in out
    assert f'resuming from {tmp_path / "epoch_2.pth"}' in out


def test_a_training_from_the_start_names_the_earlier_run_whose_files_it_replaces(tmp_path, capsys):
    cfg = Config(dict(work_dir=str(tmp_path)))
    warn_of_earlier_run(cfg)
    assert capsys.readouterr().out == ''
    for epoch in (2, 3):
        (tmp_path / f'epoch_{epoch}.pth').touch()
    warn_of_earlier_run(cfg)
    assert 'holds 2 checkpoint(s) of an earlier run, such as epoch_3.pth' in capsys.readouterr().out
