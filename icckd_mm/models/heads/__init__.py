"""Heads of classifiers."""

from .subclass_head import SubclassClsHead

__all__ = ['SubclassClsHead']
