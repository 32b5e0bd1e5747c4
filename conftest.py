"""For all tests: the device of those for a GPU, torch in examples of docstrings, and garbage that is collected quickly."""

import gc

import pytest
import torch


def pytest_addoption(parser):
    """The tests of ``tests/gpu`` are skipped without a GPU; ``--device cpu`` runs those that can do without."""
    parser.addoption('--device', choices=['cuda', 'cpu'], default='cuda', help='device of the tests marked gpu')


@pytest.fixture(autouse=True)
def _examples(doctest_namespace):
    doctest_namespace['torch'] = torch


@pytest.fixture(scope='module', autouse=True)
def _what_is_imported_stays():
    """Each data set of mmengine collects garbage; without this it walks through all of torch each time, for 0.2 to 0.6 s."""
    gc.collect()
    gc.freeze()
