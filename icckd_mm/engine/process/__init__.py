"""The process of a run: signals, the lock of its work dir, its process group."""
