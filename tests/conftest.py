import random

import numpy as np
import pytest
import torch

from icckd_mm.config.text_once import format_once
from tests.processes import Processes

format_once()  # in runners that tests build themselves, too


def pytest_collection_modifyitems(items):
    """``make test-quick`` leaves out what starts processes."""
    for item in items:
        if 'processes' in getattr(item, 'fixturenames', ()):
            item.add_marker('processes')


@pytest.fixture(autouse=True)
def _seeded():
    """Every test starts from the same seed; several workers share the cores."""
    torch.set_num_threads(1)
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope='session')
def processes():
    """Up to four ranks of gloo, shared by all files; they import torch once."""
    pool = Processes(4)
    yield pool
    pool.close()
