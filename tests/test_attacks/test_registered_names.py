"""Text from a file on its way into names of files, Markdown, Python, YAML and HTML."""

import ast
import functools
import importlib
import json
import os
import resource
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
import yaml

from icckd_mm.compat.checkpoints.config_text import parse_config_text
from icckd_mm.compat.safe_load import load_checkpoint_safely
from icckd_mm.config.errors import describe
from icckd_mm.engine.process.temporary_beside import move_into_place
from icckd_mm.lab.analysis.report import report
from icckd_mm.lab.analysis.run import AnalysedRun
from icckd_mm.lab.page import Block, markdown, markdown_table, page
from icckd_mm.zoo import index as model_index
from icckd_mm.zoo.entry_files import write_entry
from icckd_mm.zoo.network import take_network
from icckd_mm.zoo.publish import _list_in, publish
from icckd_mm.zoo.verify import table
from tests.processes import run_script

from .forged import run_config, write_run

PUBLISH = Path(__file__).parents[2] / 'tools/model_converters/publish.py'
BIDI, ESCAPE = '\u202e', '\x1b'
HOSTILE = {
    'quotes': "x'); __import__('os').system('echo owned') #",
    'newline': 'x\n```\n<script>alert(1)</script>\n',
    'fence': '```python\nimport os',
    'tag': '</code><script>alert(1)</script>',
    'image': '![x](http://127.0.0.1/x.png)',
    'parent': '../../etc/cron.d/x',
    'absolute': '/etc/passwd',
    'long': 'a' * 5000,
    'bidi': f'safe{BIDI}txt.exe',
    'terminal': f'{ESCAPE}]0;owned{ESCAPE}[2J',
    'shell': '$(touch owned)',
    'option': '--force',
    'yaml': 'x: !!python/object/apply:os.system [ls]',
    'table': 'a | b | c',
    'nul': 'x\0y',
    'empty': '',
    'hidden': '.bashrc',
    'space': 'two words',
}
DANGEROUS = (BIDI, ESCAPE, '\0', '<script', '</code')


def entry_of(folder, cfg=None, name='tiny', **meta):
    path = write_run(folder / 'run', cfg or run_config(folder), **meta)
    (folder / 'out').mkdir()
    write_entry(take_network(path), name, folder / 'out', metrics=False)
    return folder / 'out'


def python_blocks(text):
    return [block.partition('```')[0] for block in text.split('```python\n')[1:]]


@pytest.fixture(autouse=True)
def _no_complexity(monkeypatch):
    """FLOPs are counted elsewhere; here a hundred entries are written."""
    monkeypatch.setattr('icckd_mm.zoo.entry_files.complexity', lambda model, size: {'FLOPs': 1, 'Parameters': 1})


@pytest.mark.parametrize('text', HOSTILE.values(), ids=HOSTILE)
def test_a_name_from_a_file_is_refused_before_any_file_has_it(tmp_path, text):
    path = write_run(tmp_path / 'run', run_config(tmp_path), experiment_name=f'{text}_20260101_000000')
    with pytest.raises(ValueError, match='is not a valid file name; set --name') as caught:
        publish(path, tmp_path / 'zoo' / 'out', metrics=False)
    assert not any(bad in describe(caught.value) for bad in (BIDI, ESCAPE, '\0', '\n'))
    assert not (tmp_path / 'zoo').exists()


@pytest.mark.parametrize('text', HOSTILE.values(), ids=HOSTILE)
def test_text_of_a_run_is_text_in_what_is_published(tmp_path, text):
    """In every place at once: name, date, version, class names, data set, backbone and file of the teacher, log."""
    cfg = run_config(tmp_path)
    student, teacher = cfg['model'], {**cfg['model'], 'backbone': dict(type=text, note=text)}
    cfg['model'] = dict(type='X', architecture=student, teacher=teacher, teacher_ckpt=text)
    cfg['train_dataloader']['dataset'] = dict(type=text)
    names = dict(experiment_name=text, time=text, mmengine_version=text, dataset_meta=dict(classes=[text], x=text))
    path = write_run(tmp_path / 'run', cfg, **names)
    content = torch.load(path, weights_only=True)
    content['state_dict'] = {f'architecture.{key}': value for key, value in content['state_dict'].items()}
    torch.save(content, path)
    log = tmp_path / 'run' / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({f'accuracy/{text}': 50.0, 'step': 1}) + '\n')
    (tmp_path / 'out').mkdir()
    write_entry(take_network(path), 'tiny', tmp_path / 'out', metrics=False)
    assert sorted(file.name.partition('-')[0] for file in (tmp_path / 'out').iterdir()) == [
        *('README.md', 'metafile.yml', 'tiny.py', 'tiny_undated', 'tiny_undated')
    ]
    card, meta = ((tmp_path / 'out' / name).read_bytes().decode() for name in ('README.md', 'metafile.yml'))
    assert not any(bad in card for bad in (*DANGEROUS, '!['))
    assert not any(bad in meta for bad in (BIDI, ESCAPE, '\0'))
    assert len(card) < 5000
    (block,) = python_blocks(card)
    assert card.count('```') == 2
    assert [type(statement).__name__ for statement in ast.parse(block).body] == ['ImportFrom', 'Assign', 'Expr']
    (model,) = yaml.safe_load(meta)['Models']
    assert model['Metadata']['Seed'] == 0
    rows = [line for line in card.splitlines() if line.startswith('| accuracy')]
    assert [line.replace('\\|', '').count('|') for line in rows] == [3]
    assert parse_config_text((tmp_path / 'out' / 'tiny.py').read_text()).model.type == 'ImageClassifier'


def test_a_name_that_the_user_gives_is_taken_and_checked(tmp_path):
    path = write_run(tmp_path / 'run', run_config(tmp_path), experiment_name='../x')
    for name in ('../x', 'a b', "a'", 'a\n', '', '-a', '.a', 'é', 'a' * 101):
        with pytest.raises(ValueError, match='becomes a file name'):
            publish(path, tmp_path / 'out', name=name)
    assert not (tmp_path / 'out').exists()


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize(
    'text', ['<script>alert(1)</script>', '</pre></details><img src=x onerror=alert(1)>', '"><svg/onload=1>']
)
def test_markup_in_a_run_is_text_on_the_page(tmp_path, text):
    """Class names and every string of the config."""
    cfg = run_config(tmp_path)
    cfg['test_dataloader']['dataset']['metainfo'] = dict(classes=[text] * 10)
    cfg['model']['data_preprocessor']['note'] = text
    cfg['custom_hooks'] = [dict(type=f'IntraClassContrast{text}', loss=text)]
    run = AnalysedRun(write_run(tmp_path / 'run', cfg, dataset_meta=dict(classes=[text] * 10)), f'run {text}')
    shown = Tags(report([run], []))
    assert not {'script', 'img', 'svg'} & set(shown.tags)
    assert any(text in words for words in shown.words)
    blocks = [Block(text, text, ((text, 'a'), (text, text)), plt.figure(), 'figures/x')]
    shown = Tags(page(text, blocks))
    assert not {'script', 'svg'} & set(shown.tags)
    assert shown.tags.count('img') == 1
    assert not {'script', 'svg', 'img'} & set(Tags(markdown(text, blocks)).tags)


def test_a_cell_of_a_table_stays_one():
    lines = markdown_table([['a', 'b'], ['x | y\nz', 'p < 0.001']]).splitlines()
    assert lines == ['| a | b |', '| --- | ---: |', r'| x \| y z | p < 0.001 |']


def test_what_a_file_says_does_not_drive_the_terminal():
    assert describe(ValueError(f'a{ESCAPE}[2Jb{BIDI}c\r\nd')) == 'ValueError: a [2Jb c d'
    assert ESCAPE not in table([('prediction', True, f'class {ESCAPE}]0;x')])


@pytest.mark.parametrize(
    'listed', ['../outside/metafile.yml', '/etc/passwd', {'a': 1}, ['x'], 'bad.yml', 'list.yml', 'names.yml'], ids=str
)
def test_an_index_that_leads_elsewhere_or_nowhere_is_one_line(tmp_path, listed):
    (tmp_path / 'zoo').mkdir()
    (tmp_path / 'outside').mkdir()
    (tmp_path / 'outside' / 'metafile.yml').write_text('Models: [{Name: secret}]')
    for name, text in (('bad.yml', 'Models: ['), ('list.yml', '- 1'), ('names.yml', 'Models: [1]')):
        (tmp_path / 'zoo' / name).write_text(text)
    index = tmp_path / 'zoo' / 'model-index.yml'
    index.write_text(yaml.safe_dump({'Import': [listed]}))
    if isinstance(listed, str):
        with pytest.raises(ValueError, match='correct') as caught:
            model_index.names_in(index, tmp_path)
        assert '\n' not in str(caught.value)
    else:
        assert model_index.names_in(index, tmp_path) == set()


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))


@pytest.mark.parametrize('allowed', [0, 1000, 9000, 20_000])
def test_a_disk_that_is_full_at_any_moment_leaves_the_old_entry(tmp_path, allowed):
    """The kernel refuses files beyond so many bytes: config, card, weights or nothing fits."""

    def full():
        importlib.import_module('icckd_mm.zoo.publish').verify = lambda *args: []
        load_checkpoint_safely(tmp_path / 'run' / 'epoch_1.pth')
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, resource.RLIM_INFINITY))

    write_run(tmp_path / 'run', run_config(tmp_path))
    (tmp_path / 'run' / 'last_checkpoint').write_text('epoch_1.pth')
    out = tmp_path / 'zoo' / 'out'
    out.mkdir(parents=True)
    (out / 'metafile.yml').write_text('the old entry')
    (tmp_path / 'zoo' / 'model-index.yml').write_text('Import: []\n')
    before = files(tmp_path)
    words = [tmp_path / 'run', '--out', out, '--force', '--no-metrics']
    status, _, error = run_script(PUBLISH, *words, before=full)
    assert status != 0
    assert error.startswith('error: ')
    assert error.count('\n') == 1
    assert 'File too large' in error
    assert files(tmp_path) == before
    assert (out / 'metafile.yml').read_text() == 'the old entry'
    assert (tmp_path / 'zoo' / 'model-index.yml').read_text() == 'Import: []\n'


def test_an_index_that_cannot_be_written_leaves_the_old_entry_and_files_of_others(tmp_path, monkeypatch):
    for name in ('new', 'out'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'metafile.yml').write_text(name)
    index, theirs = tmp_path / 'model-index.yml', tmp_path / '.model-index.yml.part'
    theirs.write_text('of another process')
    enter = functools.partial(_list_in, index, tmp_path / 'out')
    with monkeypatch.context() as patch:
        patch.setattr(os, 'fsync', lambda descriptor: (_ for _ in ()).throw(OSError(28, 'No space left on device')))
        with pytest.raises(OSError, match='No space left'):
            move_into_place(tmp_path / 'new', tmp_path / 'out', enter)
    assert (tmp_path / 'out/metafile.yml').read_text() == 'out'
    assert files(tmp_path) == ['.model-index.yml.part', 'new', 'new/metafile.yml', 'out', 'out/metafile.yml']
    move_into_place(tmp_path / 'new', tmp_path / 'out', enter)
    assert (tmp_path / 'out/metafile.yml').read_text() == 'new'
    assert index.read_text() == 'Import:\n- out/metafile.yml\n'
    assert theirs.read_text() == 'of another process'


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    """Not by root either, and before the work: the kernel makes no folder there."""
    path = write_run(tmp_path / 'run', run_config(tmp_path))
    before = files(tmp_path)
    with pytest.raises(OSError, match='/proc/') as caught:
        publish(path, '/proc/icckd_mm/out', name='tiny')
    assert '\n' not in describe(caught.value)
    assert files(tmp_path) == before
