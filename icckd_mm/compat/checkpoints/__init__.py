"""Reads checkpoints without running code from them."""
