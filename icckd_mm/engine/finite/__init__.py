"""Keeps NaN and infinity out of the weights, and says where they came from."""
