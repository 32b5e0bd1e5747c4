"""Exact resume: a run that is stopped and resumed ends as if it had never stopped."""
