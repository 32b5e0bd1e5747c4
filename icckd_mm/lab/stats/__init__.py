"""Statistics over seeds: intervals, paired tests, the number of seeds needed."""
