"""Publishes models of finished runs, and imports classifiers of other projects into mmpretrain.

Nothing is imported here: ``import icckd_mm`` loads this package for the model index, and must not import mmpretrain.
"""
