"""Hooks, loops and checks for mmengine's runner."""
