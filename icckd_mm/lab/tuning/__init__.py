"""Loss weight, margin and temperature by successive halving within a budget of time."""
