"""Mends defects of the host packages, one a file; a mend does nothing where its defect is absent."""

from . import cpu_launch, image_loading, inplace, package_lookup, quantization_import, safe_download, safe_load


def install() -> None:
    """Installs every mend; calling it again changes nothing. No host package is imported for it."""
    for mend in (cpu_launch, image_loading, inplace, package_lookup, quantization_import, safe_download, safe_load):
        mend.install()
