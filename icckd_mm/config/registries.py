"""Finds a class by its name in the known registries, without importing a module that a file names."""

from __future__ import annotations

import functools
import inspect
import sys
from importlib import import_module
from typing import Any

from mmengine.registry import Registry, root
from torch import nn

SCOPES = ('mmengine', 'mmpretrain', 'mmrazor', 'icckd_mm')
# Modules of the host packages whose models are allowed; others hold algorithms and models that read files or download.
MODEL_HOMES = (
    *('torch.nn', 'mmcv.cnn.bricks', 'mmengine.model', 'mmengine.utils.dl_utils.parrots_wrapper', 'icckd_mm.models'),
    'mmrazor.models.architectures.backbones',
    *(f'mmpretrain.models.{name}' for name in ('backbones', 'necks', 'heads', 'losses', 'utils', 'classifiers')),
)
HOSTS = ('torch', 'mmcv', *SCOPES)
METRICS = ('Accuracy', 'AveragePrecision', 'ConfusionMatrix', 'MultiLabelMetric', 'SingleLabelMetric')
CLOSED = {  # kinds of which few are needed; others write files or never end
    'METRICS': (*METRICS, 'VOCAveragePrecision', 'VOCMultiLabelMetric'),
    'FUNCTIONS': ('default_collate', 'pseudo_collate'),
    'DATA_SAMPLERS': ('DefaultSampler', 'SequentialSampler'),
}
REFUSED = {
    **dict.fromkeys(('Albu', 'Albumentations'), 'it calls whatever its arguments name'),
    'torchvision/Lambda': 'it calls whatever its arguments name',
    **dict.fromkeys(('HuggingFaceClassifier', 'TIMMBackbone', 'TimmClassifier'), 'it downloads and reads files'),
    **dict.fromkeys(('CLIPGenerator', 'NormEMAVectorQuantizer', 'VQAGenerationHead', 'VQKD'), 'it reads files'),
}


def find_registered(name: str, kind: str, scope: str) -> str | None:
    """The name under which mmengine finds a registered class from any scope.

    Args:
        name: Value of ``type``: ``'Name'``, ``'scope.Name'``, or the path of a class that has been imported.
        kind: Name of the registry in ``mmengine.registry``, such as ``'MODELS'``.
        scope: The scope in which it would be built, one of :data:`SCOPES`.

    Returns:
        The same name, or ``'scope.Name'`` for a path; None if no class of that kind is registered under it.

    Example:
        >>> find_registered('ResNet', 'MODELS', 'mmpretrain'), find_registered('os.system', 'MODELS', 'mmpretrain')
        ('ResNet', None)
        >>> find_registered('mmpretrain.models.backbones.resnet.ResNet', 'MODELS', 'mmpretrain')
        'mmpretrain.ResNet'
    """
    prefix, _, bare = name.partition('.')
    if not bare:
        return name if any(_fits(_members(one, kind).get(name), kind) for one in (scope, 'mmengine')) else None
    if prefix in SCOPES and bare in (members := _members(prefix, kind)):
        return name if _fits(members[bare], kind) else None
    target = _loaded(name)
    for one in SCOPES if _fits(target, kind) else ():
        for key, value in _members(one, kind, loaded=True).items():
            if value is target:
                return f'{one}.{key}'
    return None


def why_refused(name: str, kind: str) -> str:
    """Why a registered class must not be built from a file; ``''`` if it may be."""
    bare = name.rpartition('.')[2]
    if kind in CLOSED and bare not in CLOSED[kind]:
        return f'only {", ".join(CLOSED[kind])} can be taken from a file'
    return REFUSED.get(bare, '')


def _fits(target: Any, kind: str) -> bool:
    """Whether the class exists and, if a model, neither reads files nor is an algorithm."""
    if target is None or kind != 'MODELS':
        return target is not None
    if not (inspect.isclass(target) and issubclass(target, nn.Module)):
        return False
    home = f'{target.__module__}.'
    return home.startswith(tuple(f'{one}.' for one in MODEL_HOMES)) or home.partition('.')[0] not in HOSTS


def _members(scope: str, kind: str, loaded: bool = False) -> dict[str, Any]:
    """The classes registered in a scope; with ``loaded``, only if its package has been imported."""
    if loaded and scope not in sys.modules:
        return {}
    registry = _registry(scope, kind)
    if registry is None:
        return {}
    registry.import_from_location()
    return registry.module_dict


@functools.cache
def _registry(scope: str, kind: str) -> Registry | None:
    parent = getattr(root, kind)
    if scope == 'mmengine':
        return parent
    try:
        import_module(f'{scope}.registry')  # of SCOPES
    except ImportError:
        return None
    return parent.children.get(scope)


def _loaded(path: str) -> Any:
    """The object at a path, if its module has been imported."""
    module, _, rest = path.rpartition('.')
    names = [rest]
    while module and module not in sys.modules:
        module, _, rest = module.rpartition('.')
        names.insert(0, rest)
    target: Any = sys.modules.get(module)
    for name in names:
        target = vars(target).get(name) if hasattr(target, '__dict__') else None  # no __getattr__, which may import
    return target
