"""From a plan to results: runs, the processes that train them, and their records."""
