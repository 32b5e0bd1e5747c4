"""Valid keys for each dict of a config: those that mmengine's runner and its builders read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mmengine.optim import OptimWrapper
from mmengine.runner import FlexibleRunner, LogProcessor, Runner, loops
from mmengine.runner.utils import set_random_seed
from torch.utils.data import DataLoader

from icckd_mm.config.signatures import arguments_of
from icckd_mm.config.types import CERTAIN, NEAR, find_types

Path = tuple[object, ...]

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
RUNNER = frozenset({*inspect.signature(Runner).parameters, *inspect.signature(FlexibleRunner).parameters} - {'cfg'})
# read from the config by the runner, by mmengine's Config or by the commands
TOP_LEVEL = RUNNER | {
    'activation_checkpointing',
    'compile',
    'custom_imports',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'runner_type',
    'sync_bn',
    'tta_model',
    'tta_pipeline',
}
BUILT = RUNNER | {'model_wrapper_cfg', 'tta_model'}  # other keys of a config are variables, which may be unused
RESERVED = frozenset({'type', '_scope_', '_delete_'})
READ_BY_KEY = {  # dicts without a type; unknown keys are silently ignored
    'auto_scale_lr': {'enable', 'base_batch_size'},
    'env_cfg': {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
    'optim_wrapper.paramwise_cfg': {
        *('custom_keys', 'bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult', 'flat_decay_mult'),
        *('dwconv_decay_mult', 'dcn_offset_lr_mult', 'bypass_duplicate', 'layer_decay_rate'),
    },
    'randomness': set(inspect.signature(set_random_seed).parameters),
}
# keys that a builder removes before it calls the constructor
LOADER = {'dataset', 'sampler', 'batch_sampler', 'collate_fn', 'worker_init_fn', 'num_batch_per_epoch'}
TAKEN_OUT = {
    'default_hooks': {'priority'},
    'custom_hooks': {'priority'},
    'optim_wrapper': {'constructor', 'paramwise_cfg', 'optimizer'},
    'train_cfg': {'by_epoch'},
    'param_scheduler': {'convert_to_iter_based', 'epoch_length'},
    'visualizer': {'name', 'save_dir'},
    'init_cfg': {'override', 'layer', 'name'},
    'norm_cfg': {'requires_grad'},
    'override': {'name'},
    'policies': {'magnitude_key'},
}
# dicts that are built unchanged: every unknown argument would fail sooner or later
DIRECT = {'dataset', 'sampler', 'batch_sampler', 'optimizer', 'collate_fn', 'backbone', 'neck', 'head', 'loss', 'architecture'}
PARTS = {'distill_losses', 'connectors', 'student_recorders', 'teacher_recorders'}  # dicts of such dicts, in a distiller
LISTS = {'pipeline', 'transforms', 'custom_hooks', 'param_scheduler', 'val_evaluator', 'test_evaluator', 'vis_backends'}
TYPED_TOP = {'model', 'optim_wrapper', 'train_cfg', 'val_cfg', 'test_cfg', 'visualizer', 'log_processor', *LISTS}


DICTS = (*LOADERS, 'train_cfg', 'val_cfg', 'test_cfg', 'default_hooks', 'env_cfg', 'randomness')
DEFAULTS: dict[object, Callable] = {'val_cfg': loops.ValLoop, 'test_cfg': loops.TestLoop, 'log_processor': LogProcessor}


class Keys(NamedTuple):
    """The valid keys of a dict.

    Attributes:
        names: The keys.
        owner: The class or function that reads them, for messages.
        cutoff: Similarity to a valid key from which another key is a mistake; at 0 every other key is one.
    """

    names: frozenset[str]
    owner: str
    cutoff: float


def dotted(path: Path) -> str:
    """The path in the syntax of ``--cfg-options``."""
    return '.'.join(map(str, path))


def last_name(path: Path) -> str:
    """The last part of the path that is not an index."""
    return next((str(part) for part in reversed(path) if not isinstance(part, int)), '')


def is_built_here(path: Path) -> bool:
    """Whether mmengine or a classifier builds the dict at ``path`` itself, unchanged."""
    last = path[-1]
    if len(path) == 1:
        return last in TYPED_TOP
    if isinstance(last, int):
        return last_name(path) in LISTS
    if len(path) > 2 and path[-2] in PARTS and str(path[-3]).endswith('distiller'):
        return True
    return last in DIRECT or (path[0] == 'default_hooks' and len(path) == 2)


def default_types(node: Mapping[str, Any], path: Path) -> list[Callable]:
    """The type that the runner builds from a dict without a type."""
    if path == ('train_cfg',) and 'by_epoch' in node:
        return [loops.EpochBasedTrainLoop if node['by_epoch'] else loops.IterBasedTrainLoop]
    if path == ('optim_wrapper',) and 'optimizer' in node:
        return [OptimWrapper]
    return [DEFAULTS[path[0]]] if len(path) == 1 and path[0] in DEFAULTS else []


def known_keys(node: Mapping[str, Any], path: Path, scope: str) -> Keys | None:
    """The keys that a dict of a config may have.

    Args:
        node: The dict.
        path: Its path in the config.
        scope: The scope in which it is built.

    Returns:
        None if they cannot be known.
    """
    place = dotted(path)
    if not path:
        return Keys(frozenset(TOP_LEVEL | set(node)), 'the runner', 0)
    if place in LOADERS:
        return Keys(frozenset(LOADER | {'disable_subprocess_warning'} | arguments_of(DataLoader).names), 'DataLoader', 0)
    if place in READ_BY_KEY:  # a custom constructor may read more from paramwise_cfg
        return Keys(frozenset(READ_BY_KEY[place]), place, 0 if path[0] != 'optim_wrapper' else NEAR)
    found = find_types(node['type'], scope) if 'type' in node else default_types(node, path)
    if not found:
        return None
    arguments = [arguments_of(target) for target in found]
    by_builder = {*TAKEN_OUT.get(last_name(path), ()), *(TAKEN_OUT.get(str(path[0]), ()) if len(path) <= 2 else ())}
    certain = is_built_here(path) and 'constructor' not in node
    cutoff = CERTAIN if not all(one.complete for one in arguments) else 0 if certain else NEAR
    return Keys(
        frozenset().union(*(one.names for one in arguments), by_builder, RESERVED),
        ' or '.join(dict.fromkeys(getattr(target, '__name__', str(target)) for target in found)),
        cutoff,
    )
