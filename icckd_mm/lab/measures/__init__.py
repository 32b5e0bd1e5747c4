"""Measures of trained networks; part of the code version that names a run."""
