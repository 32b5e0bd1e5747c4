"""Child registries of mmengine's roots.

``type='icckd_mm.X'`` resolves from any scope: mmengine imports this file when it meets the prefix, and a registry imports its
``locations`` when a class is first looked up, so no config needs ``custom_imports``.
"""

from __future__ import annotations

from importlib import import_module

from mmengine import registry as root


class ModelRegistry(root.Registry):
    """A registry with one more module, which needs mmrazor and is imported only for names not found elsewhere.

    Teacher training does not import mmrazor.
    """

    def get(self, key: str) -> type | None:
        """The class of that name.

        Args:
            key: With or without the prefix ``icckd_mm.``.

        Returns:
            The class, None if there is none.

        Raises:
            ImportError: If the class may need mmrazor, and mmrazor cannot be imported.
        """
        found = super().get(key)
        if found is None and key.rpartition('.')[0] in ('', self.scope):
            try:
                import_module('icckd_mm.distill.algorithms')
            except ImportError as error:
                raise ImportError(
                    f'icckd_mm has no model {key} that works without mmrazor, and mmrazor cannot be imported ({error}); '
                    'check the name, or pip install mmrazor'
                ) from error
            found = super().get(key)
        return found


MODELS = ModelRegistry(
    'model',
    parent=root.MODELS,
    scope='icckd_mm',
    locations=[
        'icckd_mm.models',
        'icckd_mm.distill.losses',
        'icckd_mm.distill.connectors',
        'icckd_mm.distill.teacher_ensemble',
    ],
)
HOOKS = root.Registry(
    'hook',
    parent=root.HOOKS,
    scope='icckd_mm',
    locations=[
        'icckd_mm.engine.data_check_hook',
        'icckd_mm.engine.exact.checkpoint_hook',
        'icckd_mm.engine.finite.guard_hook',
        'icckd_mm.evaluation',
        'icckd_mm.teacher',
        'icckd_mm.distill.hooks',
    ],
)
LOOPS = root.Registry(
    'loop', parent=root.LOOPS, scope='icckd_mm', locations=['icckd_mm.engine.exact.train_loop', 'icckd_mm.distill.loops']
)
DATASETS = root.Registry(
    'dataset',
    parent=root.DATASETS,
    scope='icckd_mm',
    locations=[
        'icckd_mm.datasets',
        'icckd_mm.datasets.even_subset',
        'icckd_mm.datasets.held_out',
        'icckd_mm.datasets.without_classes',
    ],
)
METRICS = root.Registry('metric', parent=root.METRICS, scope='icckd_mm', locations=['icckd_mm.evaluation'])
OPTIMIZERS = root.Registry('optimizer', parent=root.OPTIMIZERS, scope='icckd_mm', locations=['icckd_mm.distill.optim'])
OPTIM_WRAPPERS = root.Registry(
    'optimizer wrapper',
    parent=root.OPTIM_WRAPPERS,
    scope='icckd_mm',
    locations=['icckd_mm.distill.optim', 'icckd_mm.engine.bfloat16_wrapper'],
)
LOADERS = root.Registry('data loader', scope='icckd_mm', locations=['icckd_mm.datasets.device_loader'])

__all__ = ['DATASETS', 'HOOKS', 'LOADERS', 'LOOPS', 'METRICS', 'MODELS', 'OPTIMIZERS', 'OPTIM_WRAPPERS']
