"""Checks that what a runner loads belongs to the run."""
