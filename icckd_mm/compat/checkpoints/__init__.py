"""The reader of checkpoints: what a file contains is data."""
