"""Stores of earlier features."""

from .class_queue import ClassQueue

__all__ = ['ClassQueue']
