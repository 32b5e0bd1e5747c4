"""Looking at what was trained, and experiments: plans, runs, statistics, figures, reports."""
