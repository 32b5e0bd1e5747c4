"""Teachers whose soft labels keep the variety inside each class, and their students, for OpenMMLab."""

from .compat import install
from .version import __version__

install()

__all__ = ['__version__']
