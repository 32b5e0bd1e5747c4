"""Compatibility patches for host packages, one per file; a patch does nothing where its defect is absent."""

from . import cpu_launch, image_loading, inplace, package_lookup, quantization_import, safe_download, safe_load


def install() -> None:
    """Installs all patches; repeated calls change nothing. Imports no host package."""
    for patch in (cpu_launch, image_loading, inplace, package_lookup, quantization_import, safe_download, safe_load):
        patch.install()
