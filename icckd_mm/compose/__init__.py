"""From networks, data and methods to configs that run."""
