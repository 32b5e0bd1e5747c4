"""Keeps NaN and infinity out of the weights, and reports where they came from."""
