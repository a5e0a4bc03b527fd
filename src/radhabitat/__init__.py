"""RadHabitat."""
