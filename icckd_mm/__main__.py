"""The commands, from any folder: ``python -m icckd_mm train CONFIG``, or ``icckd-mm train CONFIG``."""

from __future__ import annotations

import ast
import difflib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from icckd_mm.packaged import own_folder
from icckd_mm.version import __version__

COMMANDS = {
    'train': 'train.py',
    'test': 'test.py',
    'report': 'analysis/report.py',
    'publish': 'model_converters/publish.py',
    'verify': 'model_converters/verify.py',
    'tune': 'tune.py',
    'experiment': 'experiment.py',
    'configs': 'list_configs.py',
    'prepare-data': 'prepare_data.py',
    'import': 'model_converters/import_checkpoint.py',
}
FAILED = 2


def usage(tools: Path) -> str:
    """The commands, each with the first line of its file."""
    lines = [f'icckd_mm {__version__}: python -m icckd_mm COMMAND ..., with --help for the options of a command', '']
    for name, file in COMMANDS.items():
        about = ast.get_docstring(ast.parse((tools / file).read_text(encoding='utf-8'))) or ''
        lines.append(f'  {name:14}{about.splitlines()[0]}')
    return '\n'.join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command as its file in ``tools/`` would.

    Args:
        argv: The command and its arguments. Defaults to ``sys.argv[1:]``.

    Returns:
        The exit status, unless the command itself ends the process.
    """
    command, *rest = (sys.argv[1:] if argv is None else argv) or ['']
    own = own_folder()
    if own is None:
        print('error: this copy of icckd_mm has no commands; install the wheel, or clone the repository', file=sys.stderr)
        return FAILED
    if command in ('', '-h', '--help'):
        print(usage(own / 'tools'))
        return 0 if command else FAILED
    if command == '--version':
        print(__version__)
        return 0
    if command not in COMMANDS:
        near = difflib.get_close_matches(command, COMMANDS, n=1)
        hint = f'did you mean {near[0]}?' if near else f'there are {", ".join(COMMANDS)}'
        print(f'error: {command} is not a command of icckd_mm; {hint}', file=sys.stderr)
        return FAILED
    sys.argv = [f'icckd-mm {command}', *rest]  # what the command calls itself
    run_file(own / 'tools' / COMMANDS[command])
    return 0


def run_file(file: Path) -> None:
    """Run a file as the main module; unlike ``runpy`` it leaves ``sys.argv`` alone."""
    spec = importlib.util.spec_from_file_location('__main__', file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules['__main__'] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == '__main__':
    sys.exit(main())
