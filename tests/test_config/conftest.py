import pytest
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True)
def _scope():
    """Transforms are mmpretrain's, whatever scope an earlier runner has left behind."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield
