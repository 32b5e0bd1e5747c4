#!/usr/bin/env python3
"""Runs ``tests/test_compat`` on several versions of torch, numpy, setuptools and Python, each in a fresh environment.

One row is one file of ``requirements/matrix``: pip constraints, and in its first line the Python. Environments are built under
``.matrix`` one at a time (about 6 GB each) and removed. Usage: ``tools/dev/matrix.py [row ...] [--keep]``.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = ROOT / 'requirements' / 'matrix'
VERSIONS = (
    'import json, sys; from importlib.metadata import version as v;'
    "print(json.dumps([v(p) for p in ('torch', 'torchvision', 'numpy', 'setuptools')] + [sys.version.split()[0]]))"
)


def find_python(version: str) -> str:
    """A working Python of this version, from PATH or pyenv."""
    pyenv = sorted(Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv')).glob(f'versions/{version}.*/bin/python'))
    for candidate in [f'python{version}', *map(str, reversed(pyenv))]:
        found = shutil.which(candidate)
        if found and subprocess.run([found, '-c', 'import venv'], capture_output=True, check=False).returncode == 0:
            return found
    raise FileNotFoundError(f'Python {version} was not found; add python{version} to PATH or omit the row')


def build(python: str, env: Path, row: Path, log: Path) -> str:
    """Creates the environment like the Makefile and returns its interpreter."""
    constraints = env.with_name(f'{env.name}.txt')
    hosts = [line for line in (ROOT / 'requirements/constraints.txt').read_text().splitlines() if line.startswith('mm')]
    constraints.write_text('\n'.join(hosts) + '\n' + row.read_text())
    run([python, '-m', 'venv', str(env)], log)
    python = str(env / 'bin' / 'python')
    pip = [python, '-m', 'pip', '--disable-pip-version-check', 'install', '-q', '-c', str(constraints)]
    run([*pip, '-r', 'requirements/runtime.txt', 'wheel', 'pytest', 'pytest-timeout', 'hypothesis'], log)
    run([*pip, '--no-deps', '-r', 'requirements/host.txt'], log)
    run([*pip, '--no-deps', '--no-build-isolation', '-e', '.'], log)
    return python


def run(command: list, log: Path) -> None:
    """Runs a command, output to the log; its end is shown if the command fails."""
    with log.open('a') as file:
        code = subprocess.run(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    if code:
        raise RuntimeError(f'{" ".join(command)} ended with {code}\n' + '\n'.join(log.read_text().splitlines()[-25:]))


def test(row: Path, keep: bool) -> list:
    """Builds one row, runs the tests and returns its line of the table."""
    env = ROOT / '.matrix' / row.stem
    log = env.with_name(f'{env.name}.log')
    shutil.rmtree(env, ignore_errors=True)
    env.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    versions = ['-'] * 5
    start = time.time()
    try:
        match = re.match(r'# python (\d\.\d+)', row.read_text())
        if match is None:
            raise ValueError(f'{row} must begin with a line such as "# python 3.11"')
        print(f'{row.stem}: installing ...', flush=True)
        python = build(find_python(match[1]), env, row, log)
        versions = json.loads(subprocess.check_output([python, '-c', VERSIONS], text=True))
        print(f'{row.stem}: testing on {versions} ...', flush=True)
        tests = [python, '-m', 'pytest', 'tests/test_compat', '-q', '-p', 'no:cacheprovider', '-p', 'no:randomly']
        tests += ['-W', 'default']  # a new warning of another version is not an error
        done = subprocess.run(tests, cwd=ROOT, capture_output=True, text=True, check=False)
        log.write_text(done.stdout + done.stderr)
        outcome = (done.stdout.strip().splitlines() or ['no output'])[-1].strip('= ')
        if done.returncode:
            print(done.stdout[-6000:], done.stderr[-2000:], sep='\n')
            outcome = f'FAILED {outcome}'
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        print(error)
        outcome = f'FAILED {str(error).splitlines()[0][:60]}'
    finally:
        if not keep:
            shutil.rmtree(env, ignore_errors=True)
            env.with_name(f'{env.name}.txt').unlink(missing_ok=True)
    print(f'{row.stem}: {outcome} ({time.time() - start:.0f} s in all, log in {log.relative_to(ROOT)})', flush=True)
    return [row.stem, *versions, outcome]


def main() -> int:
    """Runs the rows and prints the table; 1 if a row failed."""
    rows = {path.stem: path for path in sorted(ROWS.glob('*.txt'))}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('rows', nargs='*', help=f'default: all of {", ".join(rows)}')
    parser.add_argument('--keep', action='store_true', help='do not remove the environments')
    args = parser.parse_args()
    unknown = set(args.rows) - set(rows)
    if unknown:
        parser.error(f'no such row: {", ".join(sorted(unknown))}; there are {", ".join(rows)}')
    table = [['environment', 'torch', 'torchvision', 'numpy', 'setuptools', 'Python', 'outcome']]
    table += [test(rows[name], args.keep) for name in args.rows or rows]
    widths = [max(map(len, column)) for column in zip(*table)]
    print('\n' + '\n'.join('  '.join(cell.ljust(width) for cell, width in zip(line, widths)) for line in table))
    return int(any(line[-1].startswith('FAILED') for line in table))


if __name__ == '__main__':
    sys.exit(main())
