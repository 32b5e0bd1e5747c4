"""Intra-class contrastive teachers and knowledge distillation for OpenMMLab."""

from .compat import install
from .config import inferencer
from .version import __version__
from .zoo import index, named_configs

install()
inferencer.install()
index.install()
named_configs.install()

__all__ = ['__version__']
