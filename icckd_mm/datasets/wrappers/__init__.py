"""Data sets around data sets, and what is asked of them."""
