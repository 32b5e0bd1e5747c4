"""Checks that a loaded checkpoint belongs to the run."""
