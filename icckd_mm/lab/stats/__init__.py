"""What several seeds show: intervals, paired tests, the number of seeds needed."""
