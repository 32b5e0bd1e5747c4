import pytest
import torch
from scipy.stats import kstest

from icckd_mm.functional.tensor.counter_random import counter_uniform

MASK = 2**64 - 1


def reference(*address):
    """SplitMix64's finalizer in whole numbers of python, one address at a time."""
    state = 0
    for part in address:
        state = (state + 0x9E3779B97F4A7C15 * (part + 1)) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        state ^= state >> 31
    return (state >> 11) * 2.0**-53


def test_equals_whole_numbers_of_python():
    epochs, index = torch.tensor([0, 1, 999])[:, None], torch.tensor([0, 1, 49_999, 2**40])
    found = counter_uniform(7, epochs, index, 1)
    assert found.tolist() == [[reference(7, e, i, 1) for i in index.tolist()] for e in epochs.flatten().tolist()]


def test_the_published_first_number():
    """SplitMix64 seeded with 0 starts with 0xE220A8397B1DCDAF."""
    assert counter_uniform(torch.tensor([0])).item() == (0xE220A8397B1DCDAF >> 11) * 2.0**-53


@pytest.mark.parametrize('place', range(4))
def test_uniform_along_every_part_of_the_address(place):
    address = [torch.tensor(3)] * 4
    address[place] = torch.arange(20_000)
    values = counter_uniform(*address)
    assert kstest(values.numpy(), 'uniform').pvalue > 1e-3
    assert abs(torch.corrcoef(torch.stack([values[:-1], values[1:]]))[0, 1]) < 0.03
    assert 0 <= values.min() < values.max() < 1


def test_parts_are_not_interchangeable():
    first, second = torch.arange(100), torch.arange(100)[:, None]
    grid = counter_uniform(first, second)
    assert len(grid.unique()) == 10_000
    assert (grid != grid.T).sum() == 10_000 - 100
