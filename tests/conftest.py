import random

import numpy as np
import pytest
import torch

from icckd_mm.config.text_once import format_once

format_once()  # in runners that tests build themselves, too


@pytest.fixture(autouse=True)
def _seeded():
    """Every test starts from the same seed; several workers share the cores."""
    torch.set_num_threads(1)
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
