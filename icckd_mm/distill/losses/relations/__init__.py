"""Losses between the relations of images."""
