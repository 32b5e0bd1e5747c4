"""Distillers of relations between the images of a batch."""
