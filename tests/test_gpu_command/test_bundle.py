"""The bundle for a machine without network runs in an empty folder, with nothing installed but requirements/gpu.txt."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks.gpu.record import read_record

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'tools/dev/gpu_bundle.sh'
HOST = {'mmengine', 'mmcv', 'mmpretrain', 'mmrazor', 'icckd_mm'}


def requirements(path):
    return [line.split('#')[0].strip() for line in path.read_text().splitlines() if line.split('#')[0].strip()]


def with_needs(names):
    """The installed distributions of these names and of all that they need."""
    found, open_names = {}, [re.split(r'[<>=!~ ]', name)[0] for name in names]
    while open_names:
        name = open_names.pop()
        if name in found:
            continue
        found[name] = importlib.metadata.distribution(name)
        for text in found[name].requires or ():
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({'extra': ''}):
                try:
                    importlib.metadata.distribution(need.name)
                except importlib.metadata.PackageNotFoundError:
                    continue
                open_names.append(need.name)
    return found.values()


@pytest.fixture
def python(tmp_path):
    """A Python that sees requirements/gpu.txt alone: ``BUNDLE_PYTHON``, or an environment of links to this one's packages."""
    if os.environ.get('BUNDLE_PYTHON'):
        return os.environ['BUNDLE_PYTHON']
    base = getattr(sys, '_base_executable', sys.executable)
    subprocess.run([base, '-m', 'venv', '--without-pip', str(tmp_path / 'venv')], check=True)
    (packages,) = (tmp_path / 'venv/lib').glob('python*/site-packages')
    for distribution in with_needs(requirements(ROOT / 'requirements/gpu.txt')):
        for file in distribution.files:
            top = Path(file.parts[0])
            source = Path(distribution.locate_file(top))
            if str(top) not in ('..', '__pycache__') and source.exists() and not (packages / top).exists():
                (packages / top).symlink_to(source)
    assert not HOST & {path.name for path in packages.iterdir()}
    return str(tmp_path / 'venv/bin/python')


@pytest.mark.parametrize('arguments', [[], ['-h'], ['a', 'b', 'c'], ['{full}'], ['{new}', 'no-such-archive.tar']])
def test_wrong_arguments_are_refused_before_work(arguments, tmp_path):
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full/file').touch()
    given = [one.format(full=tmp_path / 'full', new=tmp_path / 'new') for one in arguments]
    done = subprocess.run(['bash', str(SCRIPT), *given], capture_output=True, text=True)
    assert done.returncode == 2
    assert 'usage: tools/dev/gpu_bundle.sh DIR' in done.stderr
    assert not (tmp_path / 'new').exists()


@pytest.mark.slow  # downloads wheels, and runs two stages
def test_the_bundle_runs_in_an_empty_folder(python, tmp_path):
    folder = tmp_path / 'empty'
    made = subprocess.run(
        ['bash', str(SCRIPT), str(folder / 'bundle')],
        env={**os.environ, 'PYTHON': sys.executable},
        capture_output=True,
        text=True,
    )
    if made.returncode and 'No matching distribution' in made.stderr:
        pytest.skip('there is no package index')
    assert made.returncode == 0, made.stderr
    environment = {name: value for name, value in os.environ.items() if not name.startswith('PYTHON')}
    command = ['bash', 'bundle/run.sh', '--device', 'cpu', '--quick', '--minutes', '4', '--stages', 'correctness', 'study']
    done = subprocess.run([*command, '--out', 'out'], cwd=folder, env={**environment, 'PYTHON': python}, check=False)
    log = (folder / 'out/log.txt').read_text()
    assert done.returncode == 0, log
    for stage in ('correctness', 'study'):
        outcomes = [item['outcome'] for item in read_record(folder / f'out/{stage}.json')['items'].values()]
        assert 'passed' in outcomes
    assert str(ROOT) not in log
