"""The random number generators of a process: python, numpy, torch, and torch's on the current GPU."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

NUMPY_WORDS = 624  # of the Mersenne twister


def random_state() -> dict[str, Any]:
    """The state of all generators, in plain containers and tensors.

    Returns:
        ``python``, ``numpy``, ``torch`` and, once the GPU is in use, ``cuda``; for :func:`set_random_state`.
    """
    kind, keys, *rest = np.random.get_state()
    state: dict[str, Any] = {
        'python': random.getstate(),
        'numpy': (kind, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest),
        'torch': torch.get_rng_state(),
    }
    if torch.cuda.is_initialized():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Restore a state of :func:`random_state`.

    Args:
        state: As returned there; it may come from a file or another device.

    Raises:
        ValueError: If it is damaged. The generators do not change then.
    """
    before = random_state()
    try:
        _check(state)
        _set(state)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, RuntimeError) as error:
        _set(before)
        raise ValueError(
            f'the state of the random number generators is damaged ({type(error).__name__}: {error}); '
            'resume from an older checkpoint, or start from the weights only with load_from'
        ) from error


def _check(state: dict[str, Any]) -> None:
    """Refuse values that generators do not check: numpy would read beyond its state, and truncate numbers to 32 bits."""
    _, words, gauss = state['python']
    _check_words(words, random.getstate()[1])
    kind, keys, position, has_gauss, cached = state['numpy']
    known, words, *_ = np.random.get_state()
    _check_words(keys.cpu().tolist(), words)
    if kind != known or type(position) is not int or not 0 <= position <= len(words) or has_gauss not in (0, 1):
        raise ValueError(f'position {position!r} of {len(words)} of a generator {kind!r}')
    if not isinstance(gauss, (float, type(None))) or not isinstance(cached, float):
        raise TypeError('a second value of a pair that is not a float')


def _check_words(values: Any, like: Any) -> None:
    if len(values) != len(like) or any(type(value) is not int or not 0 <= value < 2**32 for value in values):
        raise ValueError(f'{len(values)} values instead of {len(like)} words of 32 bits')


def _set(state: dict[str, Any]) -> None:
    version, keys, gauss = state['python']
    random.setstate((version, tuple(keys), gauss))
    kind, keys, *rest = state['numpy']
    np.random.set_state((kind, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def random_state_fault(state: Any) -> str:
    """Why :func:`set_random_state` cannot use a state from a file; empty if it can.

    numpy accepts any position in its table and reads beyond its end.

    Args:
        state: A state of :func:`random_state` from a file.

    Returns:
        The fault, in one line.
    """
    if not isinstance(state, dict) or not {'python', 'numpy', 'torch'} <= state.keys():
        return 'the generators of python, numpy and torch are incomplete'
    try:
        version, keys, gauss = state['python']
        random.Random().setstate((version, tuple(keys), gauss))
        kind, table, position, has_gauss, cached = state['numpy']
    except (TypeError, ValueError) as error:
        return f'the state of a generator is broken ({error})'
    if gauss is not None and type(gauss) is not float:
        return 'the state of python has no number for gauss'
    words = isinstance(table, torch.Tensor) and table.shape == (NUMPY_WORDS,) and table.dtype is torch.int64
    if kind != 'MT19937' or not words or bool((table < 0).any()) or bool((table >= 2**32).any()):
        return "the state of numpy is not that of 'MT19937'"
    if type(position) is not int or not 0 <= position <= NUMPY_WORDS:
        return f'the position of numpy is {position!r:.40}; it is a number from 0 to {NUMPY_WORDS}'
    if has_gauss not in (0, 1) or type(cached) is not float:
        return 'the state of numpy has no number for gauss'
    for name in ('torch', 'cuda'):
        if name in state and not (isinstance(state[name], torch.Tensor) and state[name].dtype is torch.uint8):
            return f'the state of {name} is not a row of bytes'
    try:
        torch.Generator().set_state(state['torch'].cpu())
    except RuntimeError as error:
        return f'the state of torch is broken ({error})'
    return ''


@contextmanager
def preserved_randomness() -> Iterator[None]:
    """Restore the generators at the end of the block, so that draws in it do not change a run."""
    state = random_state()
    try:
        yield
    finally:
        _set(state)


def seed_generators(*key: int) -> None:
    """Seed python, numpy and torch on the CPU; the GPU's generator, used by the network, does not change.

    Args:
        *key: Whole numbers, such as seed, epoch and index; other keys give unrelated streams.
    """
    digest = hashlib.blake2b(struct.pack(f'<{len(key)}q', *key), digest_size=16).digest()
    random.seed(digest)
    np.random.seed(np.frombuffer(digest, np.uint32))
    torch.default_generator.manual_seed(int.from_bytes(digest[:8], 'little') >> 1)
