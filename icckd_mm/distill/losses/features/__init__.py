"""Losses between feature maps."""
