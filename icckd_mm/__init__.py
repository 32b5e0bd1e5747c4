"""Teachers whose soft labels keep the variety inside each class, and their students, for OpenMMLab."""

from .compat import install
from .version import __version__
from .zoo import index, named_configs

install()
index.install()
named_configs.install()

__all__ = ['__version__']
