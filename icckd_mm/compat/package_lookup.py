"""mmengine 0.10.7 locates packages with ``pkg_resources``, which setuptools >= 82 no longer has.

Applies: when ``pkg_resources`` cannot be found.
Changes: ``is_installed``, ``get_installed_path`` and ``package2module`` of ``mmengine.utils.package_utils`` use ``importlib``
instead, in every module that holds them. The results are the same, except that an editable install gives its real folder
instead of one that does not exist.
Upstream: mmengine PR #1676, not in a release.
"""

from __future__ import annotations

import importlib.util
import logging
import os.path as osp
import sys
from importlib import metadata
from types import ModuleType

from .import_hook import on_import


def install() -> None:
    """Replaces the functions if ``pkg_resources`` is missing."""
    if 'pkg_resources' not in sys.modules and importlib.util.find_spec('pkg_resources') is None:
        on_import('mmengine.utils.package_utils', after=_patch)


def _patch(module: ModuleType) -> None:
    for bridge in (is_installed, get_installed_path, package2module):
        original = getattr(module, bridge.__name__)
        if original is bridge:
            return
        for holder in [module, *sys.modules.values()]:
            if getattr(holder, '__dict__', {}).get(bridge.__name__) is original:
                setattr(holder, bridge.__name__, bridge)
    logging.getLogger('icckd_mm.compat').debug('mmengine looks packages up with importlib.metadata')


def is_installed(package: str) -> bool:
    """Whether a distribution of this name, or a module that has a file, can be found.

    Args:
        package: Name of a distribution (``'mmcv-lite'``) or of a module (``'mmcv'``).

    Returns:
        True if it is installed.
    """
    if _distribution(package) is not None:
        return True
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None


def get_installed_path(package: str) -> str:
    """Folder of an installed package.

    Args:
        package: Name of a distribution or of a module.

    Returns:
        Path of the folder that holds its ``__init__.py``.

    Raises:
        importlib.metadata.PackageNotFoundError: If there is no such package.
        RuntimeError: If it is a namespace package, which has no single folder.
        ValueError: If the distribution does not name its module.
    """
    distribution = _distribution(package)
    if distribution is None:
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise metadata.PackageNotFoundError(package)
        if spec.origin is None:
            raise RuntimeError(f'{package} is a namespace package, which is invalid for `get_install_path`')
        return osp.dirname(spec.origin)
    path = osp.join(str(distribution.locate_file('')), package)
    if osp.exists(path):
        return path
    module = package2module(package)
    path = osp.join(str(distribution.locate_file('')), module)
    if not osp.exists(path):  # an editable install: the distribution is in site-packages, the module elsewhere
        spec = importlib.util.find_spec(module)
        if spec is not None and osp.basename(spec.origin or '') == '__init__.py':
            return osp.dirname(str(spec.origin))
    return path


def package2module(package: str) -> str:
    """Name of the first module that a distribution lists.

    Args:
        package: Name of a distribution.

    Returns:
        Name of the module, ``'mmcv'`` for ``'mmcv-lite'``.

    Raises:
        importlib.metadata.PackageNotFoundError: If there is no such distribution.
        ValueError: If it lists none.
    """
    distribution = _distribution(package)
    if distribution is None:
        raise metadata.PackageNotFoundError(package)
    modules = distribution.read_text('top_level.txt')
    if modules is None:
        raise ValueError(f'can not infer the module name of {package}')
    return modules.split('\n')[0]


def _distribution(package: str) -> metadata.Distribution | None:
    from packaging.requirements import Requirement  # late, since it takes long to import

    requirement = Requirement(package)  # 'mmcv>=2.0' is allowed, as with pkg_resources
    try:
        distribution = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        return None
    if not requirement.specifier.contains(distribution.version, prereleases=True):
        raise ValueError(f'{package} is required, but {requirement.name} {distribution.version} is installed')
    return distribution
