"""Image files: folders, checks of their bytes, smaller copies, fingerprints."""
