"""Studies of part III: learnable label smoothing."""
