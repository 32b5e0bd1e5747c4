"""Compatibility patches for host packages, one per file; a patch does nothing where its defect is absent."""

from . import (
    config_from_file,
    cpu_launch,
    inplace,
    nothing_loaded,
    own_paths,
    package_lookup,
    quantization_import,
    safe_download,
    safe_load,
)

PATCHES = (
    config_from_file,
    cpu_launch,
    inplace,
    nothing_loaded,
    own_paths,
    package_lookup,
    quantization_import,
    safe_download,
    safe_load,
)


def install() -> None:
    """Installs every patch; calling it again changes nothing. No host package is imported for it."""
    for patch in PATCHES:
        patch.install()
