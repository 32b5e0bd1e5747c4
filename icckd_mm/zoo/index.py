"""The model index, by which mmpretrain lists our models and finds them by name; imports no host package."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from icckd_mm.compat.import_hook import on_import
from icckd_mm.nested_text import parse_yaml
from icckd_mm.packaged import INDEX, own_folder
from icckd_mm.plain_text import plain


def install() -> None:
    """Registers the index when mmpretrain is imported, or at once if it is imported already."""
    on_import('mmpretrain.apis.model', after=_register)


def own_index() -> Path | None:
    """The index of this package."""
    folder = own_folder()
    return folder / INDEX if folder else None


def register(hub: Any, index: Path) -> None:
    """Register the models of an index in mmpretrain.

    Args:
        hub: mmpretrain's ``ModelHub``.
        index: A ``model-index.yml``; configs and weights in it are paths relative to its folder, weights may be URLs too.

    Raises:
        ValueError: If a name is taken.
    """
    before = set(hub._models_dict)
    hub.register_model_index(index, config_prefix=index.parent)
    for name in set(hub._models_dict) - before:
        model = hub._models_dict[name]
        if model.weights and '://' not in model.weights:
            model.weights = os.path.abspath(index.parent / model.weights)


def _register(module: ModuleType) -> None:
    index = own_index()
    if index is None or vars(module).get('_icckd_mm_index') == index:
        return
    try:
        register(module.ModelHub, index)
        module.__dict__['_icckd_mm_index'] = index
    except Exception as error:  # a broken entry must not make the import of mmpretrain fail
        logging.getLogger('icckd_mm.zoo').warning('the models in %s are not listed: %s', index, error)


def find_index(folder: Path) -> Path | None:
    """The nearest ``model-index.yml`` in the folders above one."""
    return next((above / INDEX for above in folder.resolve().parents if (above / INDEX).is_file()), None)


def chosen_index(out: Path, index: str | os.PathLike[str] | None = None, list_it: bool = True) -> Path | None:
    """The index for an entry: the given one, else the nearest above; None for no index."""
    if not list_it:
        return None
    return find_index(out) if index is None else Path(index)


def read_index(index: Path) -> dict[str, Any]:
    """The content of an index; an empty one if there is no such file.

    Raises:
        ValueError: If it is not a list of files to import.
    """
    try:
        content = parse_yaml(index.read_text(encoding='utf-8')) if index.is_file() else None
    except (yaml.YAMLError, ValueError):
        content = ''
    content = {'Import': []} if content is None else content
    if not isinstance(content, dict) or not isinstance(content.get('Import', []), list):
        raise ValueError(f'{index} is not a model index; it must have the key Import with a list of metafiles')
    return content


def with_entry(index: Path, folder: Path) -> str:
    """The text of an index that lists the ``metafile.yml`` of a folder, at its end if new."""
    content = read_index(index)
    path = Path(os.path.relpath(folder.resolve() / 'metafile.yml', index.resolve().parent)).as_posix()
    listed = content.setdefault('Import', [])
    if path not in listed:
        listed.append(path)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def names_in(index: Path, but: Path) -> set[str]:
    """Names of the models that an index lists, in lower case, without those of the folder ``but``."""
    names: set[str] = set()
    for path in read_index(index).get('Import', []):
        metafile = index.parent / str(path)
        if index.resolve().parent not in metafile.resolve().parents:
            raise ValueError(f'{index} lists {plain(path)!r}, which is not below its folder; correct the list')
        if metafile.is_file() and metafile.resolve().parent != but.resolve():
            try:
                models = (parse_yaml(metafile.read_text(encoding='utf-8')) or {}).get('Models') or []
                names |= {plain(model['Name']).lower() for model in models if isinstance(model['Name'], (str, int))}
            except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
                raise ValueError(f'{metafile}, listed in {index}, does not name models; correct or remove it') from None
    return names
