"""Files that come with the package beside its code: configs, commands, the model index."""

from __future__ import annotations

import difflib
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INDEX = 'model-index.yml'
PREFIX = 'icckd_mm::'  # of the name of a config


def own_folder() -> Path | None:
    """The folder with ``configs``, ``tools`` and the model index: ``.mim`` of an installed package, or the repository."""
    for folder in (PACKAGE / '.mim', PACKAGE.parent):
        if (folder / INDEX).is_file() and (folder / 'configs' / 'icckd').is_dir():
            return folder
    return None


def named_config(name: str) -> Path:
    """The file of a config, in a checkout or an installed package.

    Args:
        name: Such as ``icckd_mm::icckd/teacher/icc_resnet20_1xb64_digits.py``, from the folder ``configs``.

    Raises:
        FileNotFoundError: If there is none; with the nearest name.
    """
    own = own_folder()
    if own is None:
        raise FileNotFoundError('this copy of icckd_mm has no configs; install the wheel, or clone the repository')
    folder, given = own / 'configs', name[len(PREFIX) :].removesuffix('.py')
    files = {path.relative_to(folder).with_suffix('').as_posix(): path for path in folder.rglob('*.py')}
    if given not in files:
        near = difflib.get_close_matches(given, files, n=1, cutoff=0.3)
        raise FileNotFoundError(
            f'{name} is not a config of icckd_mm' + (f'; did you mean {PREFIX}{near[0]}.py?' if near else '')
        )
    return files[given]


def configs_by_stem() -> dict[str, str]:
    """Paths of all configs by their names without ``.py``: those below ``configs`` here, then the package's own."""
    own = own_folder()
    found: dict[str, str] = {}
    for folder in (Path('configs'), *([own / 'configs'] if own else [])):
        for path in folder.rglob('*.py'):
            if '_base_' not in path.parts:
                found.setdefault(path.stem, str(path))
    return found


def name_of_config(stem: str) -> str | None:
    """The name of the packaged config whose file is ``stem.py``; None if there is none, or a part of configs only."""
    own = own_folder()
    found = sorted((own / 'configs' / 'icckd').rglob(f'{stem}.py')) if own and stem else []
    return f'{PREFIX}{found[0].relative_to(own / "configs").as_posix()}' if own and found else None
