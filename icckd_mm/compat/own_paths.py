"""mmengine deletes, reads and follows paths that a checkpoint or ``last_checkpoint`` names.

Applies: always. ``CheckpointHook`` uses ``best_ckpt`` and ``last_ckpt`` of a checkpoint unchanged: the next better score
deletes that file or folder, wherever it is. Resuming a copied work dir deletes the best file of the original, and keeps a stale
one. ``find_latest_checkpoint`` returns any path in ``last_checkpoint``.
Changes: before training, such a path is replaced by the file of that name directly in the hook's own folder, if the hook uses
such names; numbers of files to delete are numbers. ``last_checkpoint`` names a file of the work dir itself, or, if it has
none, of a folder of the same name, as ``CheckpointHook(out_dir=...)`` makes it.
Upstream: none known.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from .import_hook import on_import

RECORDED = re.compile(r'(best|last)_ckpt(_.*)?')
LONGEST_NAME = 4096
MOST_FILES = 1000  # mmengine removes them from the list one by one


def install() -> None:
    """Patches the hook and the search in the modules that use them."""
    on_import('mmengine.hooks.checkpoint_hook', after=_patch_hook)
    for name in ('checkpoint', 'runner', '_flexible_runner'):
        on_import(f'mmengine.runner.{name}', after=_patch_search)
    on_import('mmengine.runner', after=_patch_search)


def _patch_hook(module: ModuleType) -> None:
    before_train = module.CheckpointHook.before_train
    if getattr(before_train, 'confined', False):
        return

    @functools.wraps(before_train)
    def confined(self: Any, runner: Any) -> None:
        confine(runner.message_hub.runtime_info, checkpoint_folder(self.out_dir, runner.work_dir), self.filename_tmpl)
        before_train(self, runner)

    confined.confined = True  # type: ignore[attr-defined]
    module.CheckpointHook.before_train = confined


def _patch_search(module: ModuleType) -> None:
    module.__dict__['find_latest_checkpoint'] = find_latest_checkpoint


def checkpoint_folder(out_dir: str | os.PathLike | None, work_dir: str) -> str:
    """The folder a ``CheckpointHook`` writes to: the work dir, or a folder of its name in ``out_dir``."""
    if out_dir is None or str(out_dir) == work_dir:
        return work_dir
    return f'{str(out_dir).rstrip("/")}/{os.path.basename(work_dir.rstrip(os.sep))}'


def confine(info: dict[str, Any], folder: str, template: str) -> None:
    """Let the paths in a message hub name files in ``folder`` only; missing files and other names are dropped.

    Args:
        info: ``runtime_info`` of a message hub; changed in place.
        folder: Folder of this run's checkpoints; on a remote one only the name is checked.
        template: File name template of the hook, such as ``epoch_{}.pth``.
    """
    for key in [key for key in info if RECORDED.fullmatch(key)]:
        path = own_path(info[key], folder, template, best=key.startswith('best'))
        if path is None or (key.startswith('best') and '://' not in folder and not os.path.isfile(path)):
            del info[key]
        else:
            info[key] = path
    if 'keep_ckpt_ids' in info:
        steps = info['keep_ckpt_ids']
        info['keep_ckpt_ids'] = [step for step in steps[-MOST_FILES:] if type(step) is int] if isinstance(steps, list) else []


def own_path(recorded: Any, folder: str, template: str, best: bool) -> str | None:
    """The file in ``folder`` that a recorded path means, None if its name is not one that the hook gives.

    Args:
        recorded: A path from a checkpoint, of this or of another machine.
        folder: Folder of this run's checkpoints.
        template: File name template of the hook.
        best: Whether it is a file of ``save_best``.

    Example:
        >>> own_path('/elsewhere/A/best_accuracy_top1_epoch_3.pth', 'A2', 'epoch_{}.pth', best=True)
        'A2/best_accuracy_top1_epoch_3.pth'
        >>> own_path('/elsewhere/A/epoch_3.pth', 'A2', 'epoch_{}.pth', best=True)
    """
    name = re.split(r'[\\/]', recorded)[-1] if isinstance(recorded, str) else ''
    numbered = r'\d+'.join(map(re.escape, template.split('{}')))
    return f'{folder.rstrip("/")}/{name}' if re.fullmatch(rf'best_[^\0]+_{numbered}' if best else numbered, name) else None


def find_latest_checkpoint(path: str) -> str | None:
    """The checkpoint that ``last_checkpoint`` in a work dir names.

    Args:
        path: The work dir.

    Returns:
        A file in the work dir, or in a folder of the same name; None if there is no ``last_checkpoint``.

    Raises:
        ValueError: If it names a file that exists elsewhere.
    """
    pointer = Path(path, 'last_checkpoint')
    if not pointer.is_file():
        return None
    with open(pointer, encoding='utf-8', errors='replace') as file:
        named = file.read(LONGEST_NAME).replace('\0', '').strip()
    own, parent = Path(path, re.split(r'[\\/]', named)[-1]), Path(named).parent
    if os.path.isfile(own) or not os.path.isfile(named):  # Path.is_file raises for a name that is too long
        elsewhere = '://' in named and not named.startswith('http')  # a remote folder cannot be listed here
        return named if elsewhere and parent.name == Path(path).absolute().name else str(own)
    if parent.name == Path(path).absolute().name:
        return named
    raise ValueError(f'{pointer} names {named!r:.200}, which is not in {path}; to start from it, set load_from=FILE')
