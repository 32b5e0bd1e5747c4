"""The report of single runs: curves, feature spaces, soft labels, calibration."""
