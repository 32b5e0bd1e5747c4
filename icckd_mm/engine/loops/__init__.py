"""Loops."""

from .exact_train_loop import ExactTrainLoop

__all__ = ['ExactTrainLoop']
