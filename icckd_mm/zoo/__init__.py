"""Finished runs turned into models for others, and classifiers of other projects as mmpretrain knows them.

Nothing is imported here: ``import icckd_mm`` passes on its way to the model index, and must not import mmpretrain.
"""
