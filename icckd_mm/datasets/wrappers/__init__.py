"""Wrappers of data sets, and functions that look inside them."""
