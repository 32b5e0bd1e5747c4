"""Examples in docstrings may use torch without an import."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _examples(doctest_namespace):
    doctest_namespace['torch'] = torch
