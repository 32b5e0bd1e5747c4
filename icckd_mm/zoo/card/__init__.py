"""What a published folder says of its model, in ``README.md`` and ``metafile.yml``."""
