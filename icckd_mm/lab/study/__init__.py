"""The report of a plan: one comparison of its records, shown as tables and figures."""
