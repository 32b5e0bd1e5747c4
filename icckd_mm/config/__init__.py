"""Reads, checks and launches configs."""
