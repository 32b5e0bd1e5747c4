"""Checks of what a config says before anything is built from it."""
