"""Checks, numerics and random numbers that the functions share."""
