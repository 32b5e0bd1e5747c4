"""Runs code on tensors that say they are on a GPU, without one, and refuses whatever would make the host wait for it.

Torch's fake tensors have a shape and a device but no numbers. So the branches for CUDA run, tensors of two devices do not
mix, and a number read on the host, a boolean index or ``nonzero`` is an error. Backward passes need a real GPU.
"""

from contextlib import contextmanager

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode


class HostWaitsError(RuntimeError):
    """The host would wait for the device."""


class _Copies(TorchDispatchMode):
    """Refuses copies between devices that wait until they are done."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name == '_to_copy':
            source, waits = args[0], not (kwargs or {}).get('non_blocking', False)
        elif name == 'copy_':
            source, waits = args[1], not (args[2] if len(args) > 2 else (kwargs or {}).get('non_blocking', False))
        else:
            return result
        if waits and source.device != result.device:
            raise HostWaitsError(f'a copy from {source.device} to {result.device} that waits')
        return result


@contextmanager
def fake_gpu():
    """Within the block, ``on_gpu`` moves models and tensors to a GPU that does not exist."""
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode


@contextmanager
def never_waits():
    """Raises if the host would wait for the device within the block."""
    with _Copies():
        yield


def on_gpu(mode, value):
    """A tensor, or a model changed in place, on the GPU that does not exist."""
    if isinstance(value, nn.Module):
        for module in value.modules():
            for name, weight in module._parameters.items():
                if weight is not None:
                    module._parameters[name] = nn.Parameter(on_gpu(mode, weight.detach()), weight.requires_grad)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = on_gpu(mode, buffer)
        return value
    return (value if isinstance(value, FakeTensor) else mode.from_tensor(value)).to('cuda')


def reads_of_the_host(run):
    """Names of the operations of ``run`` that give the host a number, or need one for a shape; works with real tensors."""
    names = []
    with _Methods(names), _Reads(names):
        run()
    return names


class _Methods(TorchFunctionMode):
    """Methods that read a tensor of the CPU without an operation."""

    def __init__(self, names):
        super().__init__()
        self.names = names

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in (torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.__array__):
            self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


class _Reads(TorchDispatchMode):
    READS = ('_local_scalar_dense', 'nonzero', 'masked_select', 'unique', '_unique2', 'unique_consecutive', 'equal', 'bincount')

    def __init__(self, names):
        super().__init__()
        self.names = names

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        booleans = name.startswith('index') and any(
            isinstance(one, torch.Tensor) and one.dtype == torch.bool for one in (args[1] if isinstance(args[1], list) else ())
        )
        if name in self.READS or booleans:
            self.names.append(name)
        return func(*args, **(kwargs or {}))
