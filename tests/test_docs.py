"""The documentation matches the code, and its examples work."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from icckd_mm.config.check import check_config
from tests.processes import run_script

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / 'docs'
PAGES = sorted([*DOCS.glob('*.md'), ROOT / 'README.md', ROOT / 'README_zh-CN.md', ROOT / 'CONTRIBUTING.md'])
FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
LANGUAGES = {'README.md', 'README_zh-CN.md'}  # each README may point to the other


def blocks(path):
    """Language and text of each fenced block."""
    return FENCE.findall(path.read_text(encoding='utf-8'))


def prose(path):
    return FENCE.sub('', path.read_text(encoding='utf-8'))


def commands(path):
    """The fenced blocks without comments and empty lines: what must be the same in every language."""
    texts = [(language, re.sub(r'(^|\s)\s*#.*', '', text)) for language, text in blocks(path)]
    return [(language, [line.rstrip() for line in text.splitlines() if line.strip()]) for language, text in texts]


def headings(path):
    return [len(marks) for marks in re.findall(r'^(#+) ', prose(path), re.MULTILINE)]


def links(path):
    return re.findall(r'\]\(([^)]+)\)', prose(path))


def test_the_chinese_readme_has_the_headings_of_the_english_one():
    assert headings(ROOT / 'README_zh-CN.md') == headings(ROOT / 'README.md')


def test_the_chinese_readme_has_the_commands_of_the_english_one():
    assert commands(ROOT / 'README_zh-CN.md') == commands(ROOT / 'README.md')


def test_the_chinese_readme_has_the_links_of_the_english_one():
    chinese, english = ([link for link in links(ROOT / name) if link not in LANGUAGES] for name in sorted(LANGUAGES)[::-1])
    assert sorted(chinese) == sorted(english)


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    for link in links(path):
        target, _, anchor = link.partition('#')
        if '://' in link or not target:
            continue
        file = path.parent / target
        assert file.exists(), link
        if anchor:
            titles = re.findall(r'^#+ (.*)$', prose(file), re.MULTILINE)
            assert anchor in [re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles], link


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.stem)
def test_files_named_in_commands_exist(path):
    """Configs of ``configs/mine`` are those that the page itself shows."""
    shown = {name for name, _ in named_files()}
    for language, lines in commands(path):
        if language == 'bash':
            for name in re.findall(r'(?<![\w/])(?:tools|configs|benchmarks|docs)/[\w./-]+\.(?:py|sh)\b', ' '.join(lines)):
                assert (ROOT / name).is_file() or name in shown, name


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.stem)
def test_the_tests_that_a_page_names_exist(path):
    """Every promise has a test."""
    text = path.read_text(encoding='utf-8')
    for name in re.findall(r'tests/[\w/*{},.]+', text):
        name = name.rstrip('.,')
        for one in re.sub(r'(.*)\{(.*)\}(.*)', lambda m: ' '.join(m[1] + x + m[3] for x in m[2].split(',')), name).split():
            assert list(ROOT.glob(one)), one
    known = {file.name for file in (ROOT / 'tests').rglob('test_*.py')}
    for name in re.findall(r'`(test_\w+\.py)`', text):
        assert name in known, name


def named_files():
    """Files that pages show in full, by their first line."""
    return [
        (match[1], text)
        for path in sorted(DOCS.glob('*.md'))
        for language, text in blocks(path)
        if language == 'python' and (match := re.match(r'# (\S+\.py)\n', text))
    ]


@pytest.fixture(scope='module')
def mine(tmp_path_factory):
    """What a reader of the pages has in the folder after copying all files from them."""
    folder = tmp_path_factory.mktemp('reader')
    (folder / 'configs').mkdir()
    for name in ('_base_', 'icckd'):
        (folder / 'configs' / name).symlink_to(ROOT / 'configs' / name)
    for name, text in named_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize('name', [name for name, _ in named_files() if name.startswith('configs/')])
def test_a_config_shown_on_a_page_can_be_read_and_has_no_unknown_type(name, mine, monkeypatch):
    monkeypatch.syspath_prepend(str(mine))  # PYTHONPATH=. of the page
    monkeypatch.chdir(mine)
    check_config(Config.fromfile(name))


@pytest.mark.parametrize(
    'name', ['kd_resnet20_smallnet_digits', 'icc_smallnet_digits', 'ce_resnet8_odd_digits', 'kd-icc_resnet20_resnet8_digits']
)
def test_a_config_shown_on_a_page_trains(name, mine):

    def there():
        os.chdir(mine)
        sys.path.insert(0, '.')  # PYTHONPATH=. of the page

    status, out, error = run_script(ROOT / 'tools/train.py', f'configs/mine/{name}.py', '--fast', before=there)
    assert status == 0, error[-2000:]
    assert 'Saving checkpoint at 2 epochs' in out + error


def test_the_tutorial_runs(tmp_path):
    """Its variant on digits, with few images and one epoch; ``make tutorial`` runs all of it, on photographs."""
    small = dict(TUTORIAL_SOURCE='missing', TUTORIAL_EPOCHS='1', TUTORIAL_IMAGES='20', TUTORIAL_FORMATS='pth')
    command = [sys.executable, str(DOCS / 'tutorial/from_data_to_student.py')]
    environment = {**os.environ, **small, 'TUTORIAL_DIR': str(tmp_path)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    assert len(re.findall(r'^epoch  1 .* top-1 [\d.]+ %$', result.stdout, re.MULTILINE)) == 4  # two teachers, two students
    assert len(re.findall(r'^ok ', result.stdout, re.MULTILINE)) == 5
    assert len(re.findall(r'images/val/digit \d/\d+\.png: digit \d \(', result.stdout)) == 6
    assert len(list((tmp_path / 'published').glob('*.pth'))) == 1


def test_the_notebook_is_that_of_the_script():
    pytest.importorskip('jupytext')
    import nbformat

    sys.path.insert(0, str(DOCS / 'tutorial'))
    try:
        from make_notebook import notebook
    finally:
        sys.path.pop(0)
    kept = nbformat.read(DOCS / 'tutorial/from_data_to_student.ipynb', as_version=4)
    nbformat.validate(kept)
    cells = [[(cell.cell_type, cell.id, cell.source) for cell in one.cells] for one in (kept, notebook())]
    assert cells[0] == cells[1], 'the notebook is stale: run make tutorial'
    outputs = [output for cell in kept.cells for output in cell.get('outputs', [])]
    printed = [output for output in outputs if output.output_type == 'stream']
    figures = [output.data for output in outputs if output.output_type == 'display_data']
    assert len(printed) >= 6
    assert len(figures) >= 6
    assert len(printed) + len(figures) == len(outputs)
    assert {*map(tuple, figures)} == {('image/png',)}
    assert (DOCS / 'tutorial/from_data_to_student.ipynb').stat().st_size < 1_500_000
    assert not re.search(r'(^|[\s\'"])/\w+/', ''.join(output.text for output in printed)), "a path of somebody's machine"


def test_the_site_builds_without_a_warning(tmp_path):
    """Pages, cross references and docstrings."""
    pytest.importorskip('furo')
    command = [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-b', 'html', str(DOCS), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-4000:]
    assert 'class="sig-name descname"' in (tmp_path / 'api/functional.html').read_text()


@pytest.fixture
def site(tmp_path):
    """A site of four pages: one with a wide table, one with long code, one with a long word on a phone, one without fault."""
    code, words = 'x' * 150, 'a few words ' * 20
    bodies = {
        'index': f'<div><p>{words}</p></div>',
        'table': f'<div class="column"><table><tr><td style="min-width:1500px">{words}</td></tr></table></div>',
        'code': f'<pre style="overflow-x:auto">{code}</pre>',
        'word': f'<p>{"m" * 60}</p>',
    }
    for name, body in bodies.items():
        (tmp_path / f'{name}.html').write_text(f'<!doctype html><html><body style="font:16px monospace">{body}</body></html>')
    return tmp_path


@pytest.mark.slow
def test_a_page_that_is_too_wide_is_found(site):
    """``make docs-check`` can fail: it names page, width and element."""
    sys.path.insert(0, str(ROOT / 'tools/dev'))
    try:
        import check_pages
    finally:
        sys.path.pop(0)
    chromium = check_pages.browser()
    if chromium is None:
        pytest.skip('chromium is not installed')
    found = {(one['page'], one['width'], one['element'].split('>')[0]) for one in check_pages.too_wide(site, chromium)}
    assert found == {('table.html', 1400, '<div.column'), ('table.html', 400, '<div.column'), ('word.html', 400, '<p')}


def test_the_messages_of_the_faq_are_real():
    """Each part of a quoted message stands in the code; those of other packages say whose they are."""
    files = [*(ROOT / 'icckd_mm').rglob('*.py'), *(ROOT / 'tools').rglob('*.py')]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding='utf-8')))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    quoted = re.findall(r'^\*\*`(.+)`\*\*(?: \((of|in) .*\))?\\$', (DOCS / 'faq.md').read_text(encoding='utf-8'), re.MULTILINE)
    assert len(quoted) > 15
    for message, whose in quoted:
        for part in filter(None, (part.strip() for part in message.split('…'))):
            assert whose or any(part in text for text in texts), message
