"""Tunes loss weight, margin and temperature by successive halving within a time budget."""
