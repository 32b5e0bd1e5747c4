"""Says which checkpoints exist where a named one does not."""

from __future__ import annotations

from pathlib import Path

from icckd_mm.packaged import name_of_config
from icckd_mm.plain_text import plain

NAMED = 3  # files in a message


def describe_missing(key: str, file: str, work_dir: str | None = None, argument: str = '', config: str | None = None) -> str:
    """A message about a checkpoint that does not exist, with those beside it.

    Args:
        key: Its key in the config.
        file: Its path, or an address that cannot be loaded.
        work_dir: The work dir of the command, where it may be instead.
        argument: The argument of the command that gave it, if it is not from the config.
        config: File of the config; one beside it may train the network.
    """
    place = argument or key
    if argument:
        other = f'give {argument} another file'
    else:
        other = (
            f'--cfg-options "{key}=[FILE,FILE]" names another'
            if key.endswith('ckpts')
            else f'--cfg-options {key}=FILE names another'
        )
    if '://' in file:
        path = f', such as {file[len("file://") :]}' if file.startswith('file://') else ''
        return (
            f'{place}: {file} is an address that cannot be loaded; give a path{path}, or an address that begins with https://'
        )
    folders = dict.fromkeys((Path(file).expanduser().parent, *([Path(work_dir)] if work_dir and argument else [])))
    beside = next((said for folder in folders if (said := _checkpoints(folder))), '') or _origin(file, config)
    return f'{place}: the checkpoint {file} does not exist; {beside}{other}'


def _checkpoints(folder: Path) -> str:
    """The newest checkpoints of a folder."""
    try:
        found = sorted(folder.glob('*.pth'), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return ''
    names = ', '.join(plain(path.name, 60) for path in found[:NAMED])
    return f'{folder} has {names}{" and others" if len(found) > NAMED else ""}; ' if found else ''


def _origin(checkpoint: str, config: str | None) -> str:
    """How to create a checkpoint in the default work dir of a config beside the given one, or of one of ours."""
    name = Path(checkpoint).parent.name
    beside = Path(config).with_name(f'{name}.py') if config and name else None
    for file in [beside] if beside and beside.is_file() else Path('configs').rglob(f'{name}.py'):
        return f'train it first with: python {"-m icckd_mm train" if file == beside else "tools/train.py"} {file}; '
    named = name_of_config(name)
    return f'train it first with: python -m icckd_mm train {named}; ' if named else ''
