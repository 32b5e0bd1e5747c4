"""A forged state of the generators is refused before a generator takes it."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from icckd_mm.randomness import random_state, set_random_state


def changed(part, index, value):
    """A state with one entry of one generator replaced."""
    state = random_state()
    if index is None:
        state[part] = value
    else:
        entries = list(state[part])
        entries[index] = value
        state[part] = tuple(entries)
    return state


WORDS = random_state()['numpy'][1]
FORGED = {
    'position behind the end': ('numpy', 2, 10**6),
    'position before the start': ('numpy', 2, -1),
    'position of numpy': ('numpy', 2, np.int64(3)),
    'position of a float': ('numpy', 2, 3.0),
    'other generator': ('numpy', 0, 'PCG64'),
    'few words': ('numpy', 1, WORDS[:10]),
    'words in rows': ('numpy', 1, WORDS.reshape(2, -1)),
    'long words': ('numpy', 1, WORDS + 2**32),
    'negative words': ('numpy', 1, -WORDS - 1),
    'words of floats': ('numpy', 1, WORDS.double()),
    'flag of a text': ('numpy', 3, 'x'),
    'second value of a text': ('numpy', 4, 'x'),
    'nothing of numpy': ('numpy', None, None),
    'python, few words': ('python', 1, (1, 2, 3)),
    'python, long words': ('python', 1, (2**32,) * 624 + (1,)),
    'python, position': ('python', 1, (1,) * 624 + (10**6,)),
    'python, version': ('python', 0, 99),
    'python, second value': ('python', 2, 'x'),
    'torch, few bytes': ('torch', None, torch.zeros(8, dtype=torch.uint8)),
    'torch, other type': ('torch', None, torch.zeros(5056)),
    'torch, zeros': ('torch', None, torch.zeros(5056, dtype=torch.uint8)),
    'torch, a text': ('torch', None, 'x'),
}


@pytest.mark.parametrize('kind', list(FORGED))
def test_a_forged_state_is_refused_and_changes_nothing(kind):
    expected = random_state()
    with pytest.raises(ValueError, match='generators is damaged'):
        set_random_state(changed(*FORGED[kind]))
    assert random.getstate() == expected['python']
    assert (np.random.get_state()[1] == expected['numpy'][1].numpy()).all()
    assert torch.equal(torch.get_rng_state(), expected['torch'])


def test_a_state_goes_on():
    for drawn in (0, 1, 700):  # 624 numbers and the next block
        np.random.normal(size=2 * drawn + 1)
        random.gauss(0, 1)
        state = random_state()
        expected = random.gauss(0, 1), np.random.normal(size=3).tolist(), torch.rand(3).tolist()
        set_random_state(state)
        assert (random.gauss(0, 1), np.random.normal(size=3).tolist(), torch.rand(3).tolist()) == expected


def test_numpy_alone_crashes():
    """Else the check of its position can go."""
    code = 'import numpy as np; s = np.random.get_state(); np.random.set_state((*s[:2], 10**6, *s[3:])); np.random.rand()'
    assert subprocess.run([sys.executable, '-c', code]).returncode < 0
