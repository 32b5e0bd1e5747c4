"""Networks by the names that users give them, fitted to their classes and images."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.utils import get_installed_path
from mmpretrain.registry import MODELS

from icckd_mm.config.command_line import config_file
from icckd_mm.config.errors import describe
from icckd_mm.packaged import PREFIX, named_config, own_folder
from icckd_mm.zoo.architectures import find_architecture

CE = dict(type='CrossEntropyLoss', loss_weight=1.0)
SMALL = 224  # sides below need maps padded to the window of a Swin transformer
KINDS = 'a network of the benchmark, a config (path or package::name), torchvision:NAME or timm:NAME'


@dataclass(frozen=True)
class Network:
    """A classifier before it is built.

    Attributes:
        given: What the user wrote.
        name: Short name for files: letters, digits, ``-``.
        model: Config of the classifier with its classes and its image size.
        base: Config of this package that holds it, and its name there; None for others.
        changes: Values that differ from the base, by dotted key.
        benchmark: Name in the benchmark; None for others.
        imports: Modules that register it.
        notes: What was left out of its config, for the user.
    """

    given: str
    name: str
    model: dict[str, Any]
    base: tuple[str, str] | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    benchmark: str | None = None
    imports: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def benchmark_networks() -> dict[str, str]:
    """Bases of the benchmark's networks by name; those for ImageNet begin with ``in1k/``."""
    folder = (own_folder() or Path()) / 'configs/_base_/models'
    return {path.relative_to(folder).with_suffix('').as_posix(): path.stem for path in sorted(folder.rglob('*.py'))}


def find_network(given: str, num_classes: int, size: int, recipe: str) -> Network:
    """A network by its name.

    Args:
        given: A network of the benchmark, a config (path or ``package::name``), ``torchvision:NAME`` or ``timm:NAME``.
        num_classes: Its classes.
        size: Side of the images.
        recipe: ``'imagenet'`` prefers the benchmark's networks for ImageNet.

    Returns:
        The network with a plain cross-entropy.

    Raises:
        ValueError: If there is no such network, or its package is missing; names the nearest.
    """
    if given.startswith('torchvision:'):
        name = given.partition(':')[2]
        try:
            model = find_architecture(name, 'torchvision').config(num_classes)
        except ValueError as error:
            raise ValueError(f'{given}: {error}; or take timm:NAME') from None
        network = Network(given, name.lower().replace('_', '-'), model)
    elif given.startswith('timm:'):
        network = _timm(given, num_classes, size)
    elif '::' in given or given.endswith('.py') or '/' in given:
        network = _from_config(given)
    else:
        return _benchmark(given, num_classes, recipe)
    return Network(**{**vars(network), 'model': fitted(network.model, num_classes, size)})


def _benchmark(given: str, num_classes: int, recipe: str) -> Network:
    known = benchmark_networks()
    for path in (f'in1k/{given}', given) if recipe == 'imagenet' else (given, f'in1k/{given}'):
        if path in known:
            base = f'icckd_mm::_base_/models/{path}.py'
            ((key, model),) = Config.fromfile(named_config(base)).to_dict().items()
            changes = {} if model['head']['num_classes'] == num_classes else {f'{key}.head.num_classes': num_classes}
            model['head']['num_classes'] = num_classes
            return Network(given, given, model, (base, key), changes, given)
    names = sorted(set(known.values()))
    near = difflib.get_close_matches(given, names, n=1)
    hint = f'did you mean {near[0]}? ' if near else ''
    raise ValueError(f'{given!r} is not a network: {hint}Give {KINDS}; the benchmark has {", ".join(names)}')


def _timm(given: str, num_classes: int, size: int) -> Network:
    if importlib.util.find_spec('timm') is None:
        raise ValueError(f"{given} needs timm; install it with: pip install 'icckd-mm[timm]'")
    import timm

    name = given.partition(':')[2]
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=1)
        raise ValueError(f'timm has no network {name!r}' + (f'; did you mean timm:{near[0]}?' if near else ''))
    model: dict[str, Any] = dict(_scope_='mmpretrain', type='icckd_mm.TimmNetwork', model_name=name)
    model.update(num_classes=num_classes, loss=dict(CE))
    settings = timm.get_pretrained_cfg(name)
    if settings is not None and settings.fixed_input_size and settings.input_size[-1] != size:
        model['img_size'] = size
    return Network(given, name.replace('_', '-').replace('.', '-'), model)


def _from_config(given: str) -> Network:
    """The classifier of a config; the student of a distillation."""
    path = _config_path(given)
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is a program and may raise any error
        raise ValueError(f'{given} cannot be read: {describe(error)}') from None
    model = cfg.get('model')
    model = model.get('architecture', model) if isinstance(model, dict) else None
    if not isinstance(model, dict) or 'type' not in model:
        raise ValueError(f'{given} has no model with a type; give the config of a classifier')
    for part in ('backbone', 'head'):
        if model.get(part) is not None and not (isinstance(model[part], dict) and 'type' in model[part]):
            raise ValueError(f'{given}: the {part} of its model is not a dict with a type; give the config of a classifier')
    model, notes = Config(dict(model=model)).to_dict()['model'], []
    for key in ('train_cfg', 'data_preprocessor'):
        if model.pop(key, None) is not None:
            notes.append(f'{given}: {key} of the network is left out; data.py says how images are prepared')
    if (model.get('backbone') or {}).get('init_cfg') and 'Pretrained' in str(model['backbone']['init_cfg']):
        del model['backbone']['init_cfg']
        notes.append(f'{given}: its pretrained weights are left out; give them with --teacher-weights FILE')
    model.setdefault('_scope_', 'mmpretrain')
    imports = (cfg.get('custom_imports') or {}).get('imports') or ()
    name = ''.join(char if char.isalnum() else '-' for char in Path(path).stem.split('_')[0])
    imports = (imports,) if isinstance(imports, str) else tuple(imports)
    return Network(given, name, model, imports=imports, notes=tuple(notes))


def _config_path(given: str) -> str:
    if given.startswith(PREFIX):
        return str(config_file(given))
    if '::' not in given:
        if not Path(given).is_file():
            raise ValueError(f'the config {given} does not exist; give {KINDS}')
        return given
    try:
        path, _ = Config._get_cfg_path(given if given.endswith('.py') else f'{given}.py', '')
    except FileNotFoundError:
        package, _, rest = given.partition('::')
        path = str(Path(get_installed_path(package), '.mim/configs', rest))
    except Exception as error:  # an unknown package raises several kinds
        raise ValueError(f'{given} is not a config: {describe(error)}') from None
    if not Path(path).is_file():
        folder = Path(path).parent
        near = difflib.get_close_matches(Path(path).stem, [one.stem for one in folder.glob('*.py')], n=1)
        hint = f'did you mean {given.rpartition("/")[0]}/{near[0]}.py?' if near else f'give {KINDS}'
        raise ValueError(f'{given} does not exist; {hint}')
    return path


def fitted(model: dict[str, Any], num_classes: int, size: int) -> dict[str, Any]:
    """A classifier with its classes, the side of its images and a plain cross-entropy.

    Args:
        model: Config of a classifier; not changed.
        num_classes: Number of classes.
        size: Side of the images.

    Returns:
        A new config.
    """
    model = deepcopy(model)
    backbone, head = model.get('backbone'), model.get('head')
    if head is not None:
        if 'num_classes' in head or 'num_classes' not in (backbone or {}):
            head['num_classes'] = num_classes
        if 'loss' in head or 'loss' in _arguments(head['type']):
            head['loss'] = dict(CE)
        if num_classes < 5 and 'topk' in head:
            head['topk'] = (1,)
    if backbone is not None:
        taken = _arguments(backbone['type'])
        if 'img_size' in taken and backbone.get('img_size', SMALL) != size:
            backbone['img_size'] = size
        if 'pad_small_map' in taken and size < SMALL:
            backbone['pad_small_map'] = True
    return model


def _arguments(kind: str) -> set[str]:
    """Arguments of a registered class and of those that it derives from."""
    found = MODELS.get(kind)
    classes = found.__mro__ if inspect.isclass(found) else ()
    return {name for one in classes if '__init__' in vars(one) for name in inspect.signature(one).parameters}
