"""Losses of distillers."""
