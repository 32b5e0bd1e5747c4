"""Losses between a teacher and a student as functions."""
