"""The device of these tests, and what one of them must not leave to the next."""

import os

import pytest
import torch
from mmengine.device import get_device

os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')  # before cuBLAS starts; randomness.deterministic needs it


@pytest.fixture
def device(request):
    """``'cuda'`` or ``'cpu'``; skips the test if there is no GPU, or if a runner would use one that was not asked for."""
    name = request.config.getoption('--device')
    if name == 'cuda' and not torch.cuda.is_available():
        pytest.skip('torch finds no GPU')
    if get_device() != name:
        pytest.skip(f'a runner would use {get_device()}')
    return name


@pytest.fixture
def cuda(device):
    """The GPU; skips the test with ``--device cpu``."""
    if device != 'cuda':
        pytest.skip('needs CUDA')
    return device


@pytest.fixture(autouse=True)
def _restored():
    """Determinism and compiled code are settings of the whole process."""
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    yield
    torch.use_deterministic_algorithms(before[0])
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before[1:]
    torch._dynamo.reset()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.set_sync_debug_mode('default')
        torch.cuda.empty_cache()
