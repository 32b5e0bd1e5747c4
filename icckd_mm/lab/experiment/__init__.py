"""Runs plans: the runs, the processes that train them, and their records."""
