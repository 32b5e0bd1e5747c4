"""Compatibility patches for host packages, one per file; a patch does nothing if its defect is absent."""

from . import (
    config_from_file,
    cpu_launch,
    image_loading,
    inplace,
    nothing_loaded,
    own_paths,
    package_lookup,
    quantization_import,
    recursion_limit,
    safe_download,
    safe_load,
)

PATCHES = (
    config_from_file,
    cpu_launch,
    image_loading,
    inplace,
    nothing_loaded,
    own_paths,
    package_lookup,
    quantization_import,
    recursion_limit,
    safe_download,
    safe_load,
)


def install() -> None:
    """Installs all patches; repeated calls have no effect. Imports no host package."""
    for patch in PATCHES:
        patch.install()
