"""Looking at what was trained: feature spaces and figures."""
