"""Publishes the network of a finished run as a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

from icckd_mm.config.own_modules import import_modules
from icckd_mm.datasets.wrappers.nesting import innermost_configs
from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.engine.process.temporary_beside import move_into_place, temporary_beside
from icckd_mm.plain_text import is_file_name

from . import index as model_index
from .card.entry import Entry
from .entry_files import silent, write_entry, write_papers
from .image_list import LIST
from .meta import file_name
from .network import take_network
from .onnx_export import check_packages
from .standalone_config import PLACES, evaluation_loader
from .verify import Check, verify

FORMATS = ('pth', 'safetensors', 'onnx')
PREFIX = '.publish-'  # of temporary folders


@dataclass(frozen=True)
class Options:
    """Options of :func:`publish`.

    Args:
        name: Name of the model. Defaults to that of the config.
        formats: Some of ``'pth'`` (always written), ``'safetensors'`` and ``'onnx'``.
        with_preprocess: Whether the ONNX graph holds the preprocessing. Defaults to False.
        ema: Whether to take the averaged weights of ``EMAHook``. Defaults to False.
        force: Whether to replace an entry. Defaults to False.
        allow_unfinished: Whether to accept a checkpoint from before the end of training. Defaults to False.
        metrics: Whether to measure on the data set, where it is present. Defaults to True.
        index: The model index to add the entry to. Defaults to the nearest ``model-index.yml`` in
            the folders above the entry.
        list_it: Whether to add it to an index. Defaults to True.
        modules: Modules of the user that register the network. Defaults to none.
        say: Called with the name of each step before it begins. Defaults to silence.
    """

    name: str | None = None
    formats: Sequence[str] = ('pth',)
    with_preprocess: bool = False
    ema: bool = False
    force: bool = False
    allow_unfinished: bool = False
    metrics: bool = True
    index: str | os.PathLike[str] | None = None
    list_it: bool = True
    modules: Sequence[str] = ()
    say: Callable[[str], None] = silent


def publish(run: str | os.PathLike[str], out: str | os.PathLike[str], **options: object) -> list[Check]:
    """Write weights, a plain config, a model card and ``metafile.yml``, and verify them in a clean process.

    The weights file is ``{name}_{YYYYMMDD}-{sha256[:8]}.pth``, ``meta`` and ``state_dict`` in plain containers; the date is
    that of the checkpoint, so the same checkpoint gives the same bytes. Nothing is left behind if anything fails.

    Args:
        run: Work dir or checkpoint of a distillation (the student is taken) or of a teacher's training.
        out: Folder to write.
        **options: Arguments of :class:`Options`.

    Returns:
        The checks of :func:`icckd_mm.zoo.verify.verify`. Only that of ONNX may have failed: a graph that differs from the
        network, or cannot be made, is left out, and the rest is published.

    Raises:
        OSError: If something cannot be written.
        ValueError: If ``out`` exists, an option is wrong, the run has not finished, or run and checkpoint do not give a
            working network.
    """
    out, how = Path(out), Options(**options)  # type: ignore[arg-type]
    _check(out, how)
    import_modules(how.modules)
    how.say('reading the checkpoint')
    network = take_network(run, how.ema, how.allow_unfinished)
    name = how.name or file_name(network.meta, network.checkpoint)
    index = _index(out, name, how)
    with temporary_beside(out, PREFIX) as folder:
        entry = folder / 'entry'
        entry.mkdir()
        root = '' if index is None else _path_from(index, out)
        papers, refused = write_entry(
            network, name, entry, how.formats, how.with_preprocess, how.metrics, root, how.modules, how.say
        )
        checks = _verified(entry, papers, refused, how)
        failed = [f'{what}: {detail}' for what, passed, detail in checks if passed is False and what != 'ONNX']
        if failed:
            raise ValueError(f'the published files do not pass their checks, nothing was written: {"; ".join(failed)}')
        move_into_place(entry, out, lambda: None if index is None else _list_in(index, out))
    return checks


def _list_in(index: Path, out: Path) -> None:
    write_atomically(index, model_index.with_entry(index, out).encode())


def _verified(entry: Path, papers: Entry, refused: str, how: Options) -> list[Check]:
    """Check the files; a graph that does not pass is removed, and the remaining files are checked again."""
    how.say('checking the files in a clean process')
    dataset = innermost_configs(papers.network.config[evaluation_loader(papers.network)]['dataset'])[0]
    carried = (entry / LIST).is_file()
    places = {key: dataset[key] for key in PLACES if key in dataset and not (carried and key == 'ann_file')}
    checks = verify(entry, how.metrics, how.modules, places)
    if not refused and any(what == 'ONNX' and passed is False for what, passed, _ in checks):
        refused = next(detail for what, _, detail in checks if what == 'ONNX')
        graph = papers.beside('.onnx')
        (entry / str(graph)).unlink()
        papers = replace(papers, files=[name for name in papers.files if name != graph])
        write_papers(papers, entry)
        how.say('checking the files without the ONNX graph')
        checks = verify(entry, how.metrics, how.modules, places)
    return [*checks, *([('ONNX', False, refused)] if refused else [])]


def _check(out: Path, how: Options) -> None:
    unknown = [form for form in how.formats if form not in FORMATS]
    if unknown:
        raise ValueError(f'formats {unknown} are unknown; choose from {", ".join(FORMATS)}')
    if how.name is not None and not is_file_name(how.name):
        raise ValueError(f'name={how.name!r} becomes a file name; use up to 100 letters, digits and _ . + -')
    if out.exists() and not how.force:
        raise ValueError(f'{out} exists; --force replaces it')
    if out.exists() and not (out / 'metafile.yml').is_file():
        raise ValueError(f'{out} was not written by publish.py (no metafile.yml) and is not replaced; name another folder')
    if how.with_preprocess and 'onnx' not in how.formats:
        raise ValueError('--with-preprocess needs ONNX; add onnx to --formats')
    if 'onnx' in how.formats:
        check_packages()
    if 'safetensors' in how.formats:
        try:
            import safetensors  # noqa: F401
        except ImportError:
            raise ValueError("the format safetensors needs safetensors: pip install 'icckd_mm[export]'") from None


def _index(out: Path, name: str, how: Options) -> Path | None:
    """The index to change; refuses the name of another model."""
    index = model_index.chosen_index(out, how.index, how.list_it)
    if index is None:
        return None
    if not index.parent.is_dir():
        raise ValueError(f'the folder of the model index {index} does not exist')
    taken = model_index.names_in(index, but=out)
    if index.resolve() == model_index.own_index():
        import mmpretrain

        mine = model_index.names_in(index, but=index)
        taken |= {known for known in mmpretrain.list_models() if known not in mine}
    if name.lower() in taken:
        raise ValueError(f'{index} has a model {name} already; set another --name, or use --no-index')
    return index


def _path_from(index: Path, out: Path) -> str:
    return Path(os.path.relpath(out.resolve(), index.resolve().parent)).as_posix() + '/'
