"""The text of a config in a checkpoint is never executed."""

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from icckd_mm.compat.checkpoints.config_text import LONGEST, parse_config_text
from icckd_mm.compat.safe_load import load_checkpoint_safely

PLACES = {
    'meta.config': lambda content, text: content['meta'].update(config=text),
    'meta.cfg': lambda content, text: content['meta'].update(cfg=text),
    'runtime_info.cfg': lambda content, text: content['message_hub']['runtime_info'].update(cfg=text),
}
TEXTS = {
    'call': "x = open({marker!r}, 'w')",
    'import': 'import os\nos.mkdir({marker!r})',
    'attribute': 'x = (1).__class__',
    'comprehension': "x = [open({marker!r}, 'w') for _ in [1]]",
    'lambda': "x = (lambda: open({marker!r}, 'w'))()",
    'format': 'x = f"{{open({marker!r}, \'w\')}}"',
    'base': "_base_ = [open({marker!r}, 'w')]",
    'default': "def f(x=open({marker!r}, 'w')): pass",
    'decorator': '@open\nclass A: pass',
    'double star': "x = dict(**open({marker!r}, 'w'))",
    'annotation': "x: open({marker!r}, 'w') = 1",
}


@pytest.mark.parametrize('place', PLACES)
def test_resume_does_not_run_a_text(run, place, tmp_path):
    marker = tmp_path / 'marker'
    run.forge(lambda content: PLACES[place](content, f"x = open({str(marker)!r}, 'w')"))
    with pytest.raises(ValueError, match=rf'epoch_2\.pth was not loaded: .*{place} could run code: line 1 of'):
        run.resume()
    assert not marker.exists()


@pytest.mark.parametrize('text', TEXTS)
def test_no_other_text_passes(text, tmp_path):
    marker = tmp_path / 'marker'
    torch.save({'state_dict': {}, 'meta': {'config': TEXTS[text].format(marker=str(marker))}}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'x\.pth was not loaded: meta\.config could run code'):
        load_checkpoint_safely(tmp_path / 'x.pth')
    assert not marker.exists()


@pytest.mark.parametrize(
    'text',
    [
        'x = ' + '(' * 100_000,
        'x = ' + '[' * 150 + ']' * 150,
        'x = ' + '-' * 100_000 + '1',
        'x = 1' + ' + 1' * 100_000,
        'x = a' + '.a' * 100_000,
        'x = a' + '[0]' * 100_000,
        'x = a' + '()' * 100_000,
        'x = ' + 'not ' * 100_000 + '1',
        'x = ' + '"a" ' * LONGEST,
        'x = ' + '9' * 10_000,
        'x = {[]: 1}',
        'filename = 1',
        'x = 1\0',
        'x = """',
        '  x = 1',
    ],
    ids=lambda text: text[:20],
)
def test_a_deep_long_or_broken_text_is_one_line(text):
    with pytest.raises(ValueError, match='stored in the checkpoint') as caught:
        parse_config_text(text)
    assert len(str(caught.value)) < 400
    assert '\n' not in str(caught.value)


def test_what_str_writes_for_numbers_is_read():
    cfg = Config(dict(a=float('inf'), b=[-float('inf')], c=dict(d=(1, -2.5, 3j)), e=None, f=b'x'))
    assert parse_config_text(cfg.pretty_text)._cfg_dict == cfg._cfg_dict


@pytest.fixture
def no_gate(monkeypatch):
    """Without the gate: what reads the text must not run it either."""
    monkeypatch.setattr('icckd_mm.compat.checkpoints.gate.check_content', lambda content: None)


@pytest.mark.usefixtures('no_gate')
def test_runners_read_the_text_as_literals(run, tmp_path):
    """compat/config_from_file.py: mmengine executes ``meta.config`` in both of its runners."""
    import mmengine.runner._flexible_runner as flexible

    marker = tmp_path / 'marker'
    text = f"x = open({str(marker)!r}, 'w')"
    run.forge(lambda content: content['meta'].update(config=text))
    with pytest.raises(ValueError, match='not a literal'):
        run.resume()
    with pytest.raises(ValueError, match='not a literal'):
        flexible.mmengine.Config.fromstring(text, file_format='.py')
    assert not marker.exists()
    assert flexible.mmengine.__version__  # the rest of the package is its own
    run.forge(lambda content: content['meta'].update(config='gpu_ids = [0, 1]'))
    with pytest.raises(RuntimeError, match='Number of GPUs'):  # the text is read all the same
        run.resume()


@pytest.mark.usefixtures('no_gate')
def test_inferencers_read_the_text_as_literals(run, tmp_path):
    from mmengine.infer import BaseInferencer, infer

    class Inferencer(BaseInferencer):
        """The smallest one."""

        visualize = postprocess = _init_pipeline = _init_collate = _init_visualizer = lambda *args, **kwargs: None

    marker = tmp_path / 'marker'
    run.forge(lambda content: content['message_hub']['runtime_info'].update(cfg=f"x = open({str(marker)!r}, 'w')"))
    with pytest.raises(ValueError, match='not a literal'):
        Inferencer(weights=str(run.file), device='cpu', scope='mmpretrain')
    assert not marker.exists()
    run.forge(lambda content: content['message_hub']['runtime_info'].pop('cfg'))
    assert type(Inferencer(weights=str(run.file), device='cpu', scope='mmpretrain').model).__name__ == 'ImageClassifier'
    assert isinstance(Config(), infer.Config)


def test_runtime_info_of_mmrazor_reads_the_text_as_literals(tmp_path):
    from mmengine.logging import MessageHub
    from mmrazor.utils.runtime_info import RuntimeInfo

    hub = MessageHub.get_instance('runtime_info')
    hub.update_info('cfg', f"x = open({str(tmp_path / 'marker')!r}, 'w')")
    with pytest.raises(ValueError, match='not a literal'):
        RuntimeInfo.config()
    assert not (tmp_path / 'marker').exists()
    hub.update_info('cfg', "work_dir = 'here'")
    assert RuntimeInfo.work_dir() == 'here'


def test_configs_of_the_user_still_are_programs():
    """The patches reach four modules and nothing else."""
    assert Config.fromstring('x = 1 + 1', '.py').x == 2
    assert Runner.__module__ == 'mmengine.runner.runner'


def test_a_resumed_run_writes_its_own_config(run):
    """The text of the file goes nowhere."""
    run.forge(lambda content: content['message_hub']['runtime_info'].update(cfg="work_dir = '/other'"))
    runner = run.resume()
    assert runner.message_hub.get_info('cfg') == runner.cfg.pretty_text


def test_a_config_that_could_not_be_read_back_is_refused_before_training(run):
    with pytest.raises(
        ValueError, match=r'^config: env_cfg\.unknown is torch\.float16, an object of .* hold the config as text: .* .float16.'
    ):
        run.resume(env_cfg=dict(mp_cfg=dict(mp_start_method='fork'), unknown=torch.float16))
