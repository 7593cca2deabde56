"""The laboratory: running experiments, keeping what they gave, and comparing it honestly."""
