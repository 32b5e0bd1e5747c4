"""The report of a plan: one comparison of its records, drawn as tables and figures."""
