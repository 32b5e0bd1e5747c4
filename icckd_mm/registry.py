"""Child registries of mmengine's roots.

``type='icckd_mm.X'`` resolves from any scope: mmengine imports this file when it meets the prefix, and a registry imports its
``locations`` when it is first asked for a class, so that no config needs ``custom_imports``.
"""

from mmengine import registry as root

MODELS = root.Registry('model', parent=root.MODELS, scope='icckd_mm', locations=['icckd_mm.models'])
HOOKS = root.Registry('hook', parent=root.HOOKS, scope='icckd_mm', locations=['icckd_mm.engine.hooks'])
DATASETS = root.Registry('dataset', parent=root.DATASETS, scope='icckd_mm', locations=['icckd_mm.datasets'])

__all__ = ['DATASETS', 'HOOKS', 'MODELS']
