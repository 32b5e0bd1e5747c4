"""Analysis of trained runs, and experiments: plans, runs, statistics, figures, reports."""
