"""Builds a network that a file describes, from registered classes only, and no larger than its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from mmengine.registry import DefaultScope
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from icckd_mm.config.registries import SCOPES

SPARE_BYTES, SPARE_TENSORS = 2**26, 2000
FACTORIES = ('empty', 'zeros', 'ones', 'full', 'rand', 'randn', 'new_empty', 'new_zeros', 'new_ones', 'new_full')


class Bounded(TorchDispatchMode):
    """Limits number and total size of the tensors that are created.

    Args:
        most_bytes: Limit for all tensors together.
        most_tensors: Limit for their number.
    """

    def __init__(self, most_bytes: int, most_tensors: int) -> None:
        super().__init__()
        self.most_bytes, self.most_tensors = most_bytes, most_tensors

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        """Count before the memory is allocated."""
        if func.overloadpacket.__name__ in FACTORIES:
            sizes = next((arg for arg in args if isinstance(arg, (list, tuple))), ())
            count = 4
            for size in sizes:
                count *= size
            self.most_bytes -= count
            self.most_tensors -= 1
            if self.most_bytes < 0 or self.most_tensors < 0:
                raise ValueError(f'it is far larger than the weights in the file (a tensor of {list(sizes)})')
        return func(*args, **(kwargs or {}))


@contextmanager
def only_registered() -> Iterator[None]:
    """Within the block mmengine builds registered types only, also where a constructor makes a type from an argument."""
    from mmengine.registry import registry as module

    names: dict[str, Any] = vars(module)
    saved = {name: names[name] for name in ('get_object_from_string', 'import_module')}

    def refuse(name: str) -> None:
        raise ValueError(f'{name!r} is not registered')

    def import_known(name: str) -> Any:
        if name.partition('.')[0] not in SCOPES:
            raise ImportError(f'{name} is not imported for a file')
        return saved['import_module'](name)

    names.update(get_object_from_string=refuse, import_module=import_known)
    try:
        yield
    finally:
        names.update(saved)


def check_sizes(weights: Mapping[str, Tensor], where: object) -> int:
    """Bytes that are stored for weights; an expanded tensor (stride 0) claims more than the file has.

    Raises:
        ValueError: If they would take far more memory than is stored.
    """
    storages = {value.untyped_storage().data_ptr(): value.untyped_storage().nbytes() for value in weights.values()}
    stored = sum(storages.values())
    if sum(value.numel() * value.element_size() for value in weights.values()) > 4 * stored + SPARE_BYTES:
        raise ValueError(f'{where} holds weights that claim more than is stored in it; take another checkpoint')
    return stored


def bounds_of(weights: Mapping[str, Any]) -> Bounded:
    """Within it a network stays in proportion to weights that are in a file; what is not a tensor does not count."""
    tensors = {name: value for name, value in weights.items() if isinstance(value, Tensor)}
    return Bounded(4 * check_sizes(tensors, 'the file') + SPARE_BYTES, 20 * len(tensors) + SPARE_TENSORS)


def build_classifier(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> nn.Module:
    """Build what a checked config describes, without its weights.

    Args:
        config: From :func:`icckd_mm.config.registered.check_registered`; not changed.
        weights: Weights in the file; they limit the size of the network.

    Returns:
        The network, on the CPU.

    Raises:
        Exception: Whatever a constructor raises; ValueError if the network is out of proportion to the weights.
    """
    from mmpretrain.registry import MODELS

    with DefaultScope.overwrite_default_scope('mmpretrain'), only_registered(), bounds_of(weights):
        return MODELS.build(deepcopy(dict(config)))  # mmpretrain changes the config it builds from
