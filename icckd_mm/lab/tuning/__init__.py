"""Tunes loss weight, margin and temperature with Optuna within a time budget; several processes can share one study."""
